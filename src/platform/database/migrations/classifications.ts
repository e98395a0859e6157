import type { Migration } from '../migrate.ts'

const statement = (text: string, integer: string) => `
  create table classifications (
    upstream ${text} not null,
    tool ${text} not null,
    approved_hash ${text} not null,
    classification ${text} not null,
    set_at ${integer} not null,
    set_by ${text} not null,
    primary key (upstream, tool)
  )`

/** What administrators said that tools and servers do and hold; an empty tool is the server as a whole. */
export const classificationTables: Migration = {
  version: 15,
  name: 'classifications',
  statements: {
    sqlite: [`${statement('text', 'integer')} strict`],
    // WHY: the bytewise order of SQLite.
    postgres: [statement('text collate "C"', 'bigint')],
  },
}
