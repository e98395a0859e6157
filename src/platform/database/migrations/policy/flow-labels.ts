import type { Migration } from '../migration.ts'

const statement = (text: string, integer: string) => `
  create table flow_labels (
    person_id ${text} not null,
    bearer ${text} not null,
    label ${text} not null,
    upstream ${text} not null,
    target_kind ${text} not null,
    target_name ${text} not null,
    added_at ${integer} not null,
    primary key (person_id, bearer, label)
  )`

/** What grants and sessions have met: it only grows until somebody resets it. */
export const flowLabelTables: Migration = {
  version: 19,
  name: 'flow-labels',
  statements: {
    sqlite: [`${statement('text', 'integer')} strict`],
    // WHY: the bytewise order of SQLite.
    postgres: [statement('text collate "C"', 'bigint')],
  },
}
