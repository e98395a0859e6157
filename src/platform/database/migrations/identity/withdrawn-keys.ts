import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const keys = createTable(
  'withdrawn_issuer_keys',
  `
    issuer text not null,
    key text not null,
    withdrawn_at bigint not null,
    withdrawn_by text not null,
    primary key (issuer, key)`,
)

/** Keys of issuers elsewhere that an administrator withdrew. */
export const withdrawnKeys: Migration = {
  version: 14,
  name: 'withdrawn-keys',
  statements: { sqlite: [keys.sqlite], postgres: [keys.postgres, ...announce('withdrawn_issuer_keys')] },
}
