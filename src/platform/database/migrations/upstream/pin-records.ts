import type { Migration } from '../migration.ts'

const columns = [
  ['approved_addresses', 'text'],
  ['approved_despite', 'text'],
  ['quarantined_at', 'bigint'],
  ['quarantined_by', 'text'],
  ['quarantine_note', 'text'],
] as const

/** What an approval was given for and in spite of, and its withdrawal. Approvals without it count for no address. */
export const pinRecords: Migration = {
  version: 3,
  name: 'pin-records',
  statements: {
    // WHY: strict tables know only `integer`.
    sqlite: columns.map(
      ([name, type]) => `alter table tool_pins add column ${name} ${type === 'bigint' ? 'integer' : type}`,
    ),
    // WHY: the bytewise order of SQLite.
    postgres: columns.map(
      ([name, type]) => `alter table tool_pins add column ${name} ${type}${type === 'text' ? ' collate "C"' : ''}`,
    ),
  },
}
