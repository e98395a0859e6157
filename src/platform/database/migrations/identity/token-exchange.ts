import type { Migration } from '../migration.ts'

const statements = [
  'alter table oauth_grants add column exchanged text',
  'alter table oauth_clients add column exchange_resources text',
  'create index oauth_grants_by_end on oauth_grants (expires_at)',
]

/** What a grant was exchanged for, which clients may exchange and for what, and a way to those that are long over. */
export const tokenExchange: Migration = {
  version: 13,
  name: 'token-exchange',
  statements: { sqlite: statements, postgres: statements },
}
