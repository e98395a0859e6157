import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const accounts = createTable(
  'service_accounts',
  `
    person_id text primary key,
    owner_id text not null,
    purpose text not null,
    expires_at bigint not null,
    may_read_admin bigint not null check (may_read_admin in (0, 1)),
    created_at bigint not null,
    created_by text,
    removed_at bigint`,
)

// INVARIANT: nobody can sign in as a service account with a password, whatever is written by whom.
const kind = `alter table people add column kind text not null default 'person'
  check (kind = 'person' or (kind = 'service' and password_hash is null))`

const more = [
  kind,
  'alter table access_tokens add column minted_by text',
  'create index service_accounts_of_owner on service_accounts (owner_id)',
  'create index oauth_clients_of_person on oauth_clients (person_id)',
]

/** Rows of people that are programs, who answers for each, until when; and who minted an access token for another. */
export const serviceAccountTables: Migration = {
  version: 10,
  name: 'service-accounts',
  statements: {
    sqlite: [accounts.sqlite, ...more],
    postgres: [accounts.postgres, ...more, ...announce('service_accounts')],
  },
}
