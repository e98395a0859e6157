import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const subjects = createTable(
  'external_subjects',
  `
    person_id text not null,
    client_id text not null,
    issuer text not null,
    subject text not null,
    claims_hash text not null,
    issued_at bigint not null,
    primary key (person_id, client_id)`,
)

export const externalTables: Migration = {
  version: 7,
  name: 'external',
  statements: {
    sqlite: [subjects.sqlite],
    postgres: [subjects.postgres, ...announce('external_subjects')],
  },
}
