import { Misuse } from '#kernel'
import { type Kysely, sql } from 'kysely'
import type { Migration } from './migrations/migration.ts'

const lockKey = 4_627_311_902

const bookkeeping = `create table if not exists castellan_migrations
  (version int primary key, name text not null)`

/**
 * Brings the schema to the newest version, all or nothing. Processes that open one database at the same time
 * wait for each other, and the later ones find the work done.
 * @throws Misuse `database.newer` when the database has been opened by a newer program, `database.foreign`
 * when its history is not ours
 */
export async function migrate<T>(
  kysely: Kysely<T>,
  dialect: 'sqlite' | 'postgres',
  migrations: readonly Migration[],
): Promise<void> {
  await kysely.connection().execute(async (connection) => {
    const run = (statement: string) => sql.raw(statement).execute(connection)
    // WHY: an immediate transaction already holds SQLite's only write lock.
    await run(dialect === 'sqlite' ? 'begin immediate' : 'begin')
    try {
      if (dialect === 'postgres') await run(`select pg_advisory_xact_lock(${lockKey})`)
      await run(bookkeeping)
      const done = await sql<{ version: number; name: string }>`
        select version, name from castellan_migrations order by version`.execute(connection)
      for (const migration of outstanding(done.rows, migrations)) {
        for (const statement of migration.statements[dialect]) await run(statement)
        await sql`insert into castellan_migrations (version, name)
          values (${migration.version}, ${migration.name})`.execute(connection)
      }
      await run('commit')
    } catch (error) {
      await run('rollback').catch(() => undefined)
      throw error
    }
  })
}

function outstanding(
  done: readonly { version: number; name: string }[],
  migrations: readonly Migration[],
): readonly Migration[] {
  const newest = migrations.at(-1)?.version ?? 0
  const last = done.at(-1)?.version ?? 0
  if (last > newest) {
    throw new Misuse(
      'database.newer',
      `the database is at version ${last}, this program knows versions up to ${newest}`,
      'start the newer program, or restore the backup that was made before the upgrade',
    )
  }
  for (const [at, row] of done.entries()) {
    if (migrations[at]?.version === row.version && migrations[at].name === row.name) continue
    throw new Misuse(
      'database.foreign',
      'the history of the database is not that of this program',
      'point `database.url` at a database of its own',
    )
  }
  return migrations.slice(done.length)
}
