// WHY: strict tables know only `integer`, which has 64 bits.
function forSqlite(columns: string): string {
  return columns.replaceAll(/\bbigint\b/g, 'integer')
}

// WHY: the bytewise order of SQLite, whatever locale the cluster was made with.
function forPostgres(columns: string): string {
  return columns.replaceAll(/^(\s+\w+) text\b/gm, '$1 text collate "C"')
}

/** Triggers that announce, at commit, that rows of a table changed. One notice per transaction. */
export function announce(table: string): string[] {
  return [
    `create trigger announce_rows after insert or update or delete on ${table}
       for each row execute function castellan_announce()`,
    `create trigger announce_truncate after truncate on ${table}
       for each statement execute function castellan_announce()`,
  ]
}

/** The statement that makes a table, in the words of each dialect. @param columns one a line, in those of both */
export function createTable(name: string, columns: string): Readonly<Record<'sqlite' | 'postgres', string>> {
  return {
    sqlite: `create table ${name} (${forSqlite(columns)}) strict`,
    postgres: `create table ${name} (${forPostgres(columns)})`,
  }
}
