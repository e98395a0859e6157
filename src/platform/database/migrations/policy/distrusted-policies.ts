import { announce, createTable } from '../dialects.ts'
import type { Migration } from '../migration.ts'

const distrusted = createTable(
  'distrusted_policies',
  `
    rules_hash text not null primary key,
    version bigint not null,
    found_at bigint not null
  `,
)

/** Rules with which the official engine disagreed: no node goes by them any more. */
export const distrustedPolicies: Migration = {
  version: 21,
  name: 'distrusted-policies',
  statements: {
    sqlite: [distrusted.sqlite],
    postgres: [distrusted.postgres, ...announce('distrusted_policies')],
  },
}
