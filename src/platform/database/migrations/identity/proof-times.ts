import type { Migration } from '../migration.ts'

const tables = ['oauth_grants', 'access_tokens']
const added = (integer: string): string[] =>
  tables.map((table) => `alter table ${table} add column proved_at ${integer}`)

/** When the factors were proved that stand behind a grant or a token; null where nobody knows. */
export const proofTimes: Migration = {
  version: 22,
  name: 'proof-times',
  statements: { sqlite: added('integer'), postgres: added('bigint') },
}
