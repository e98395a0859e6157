import { createHash } from 'node:crypto'
import { Kysely, sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { emptyPostgres, freshSqlite } from '../../../../test/world/databases.ts'
import { openDatabase } from '../database.ts'
import { migrate } from '../migrate.ts'
import { openPostgresPool } from '../postgres.ts'
import { openSqliteFile } from '../sqlite.ts'
import type { Tables } from '../tables.ts'
import { migrations } from './index.ts'

/** Version, name and the beginning of the SHA-256 of what it runs, as published. */
const published = [
  [1, 'first-tables', '60c3ed866ebc8a56'],
  [2, 'upstream-endpoints', '9535b26e81e8fde8'],
  [3, 'pin-records', '01f2279b5a55412b'],
  [4, 'bundles', 'dc6362274137c0ab'],
  [5, 'passkeys', '351295202fac2257'],
  [6, 'oauth', '05ce72e9f9f6211d'],
  [7, 'external', '78658f29e4e7cec8'],
  [8, 'federation', '9fe524b0eb1d7711'],
  [9, 'scim', '0ae22467f750efe2'],
  [10, 'service-accounts', '31593dbdd497cc58'],
  [11, 'step-ups', 'eb122744f5f3b016'],
  [12, 'terminal', '3b7f4026964dfd63'],
  [13, 'token-exchange', '1f0c90f3e58a3d5e'],
  [14, 'withdrawn-keys', '61082fc31938d307'],
  [15, 'classifications', 'c08f9c1497775eb1'],
  [16, 'policy-changes', 'b99654debf2fd6de'],
  [17, 'remedies', '0401f0dc65bc1ce5'],
  [18, 'budgets', '3ef7b04e7e06aa73'],
  [19, 'flow-labels', 'ebebd712dc511c72'],
  [20, 'reviews', '8043d81037d1df0c'],
  [21, 'distrusted-policies', '2503200b3690cb3b'],
  [22, 'proof-times', '2d58e31277090614'],
] as const

function told({ version, name, statements }: (typeof migrations)[number]) {
  return [version, name, createHash('sha256').update(JSON.stringify(statements)).digest('hex').slice(0, 16)]
}

test('what was published is as it was, in its order, and versions have no gaps', () => {
  expect(migrations.slice(0, published.length).map(told)).toEqual(published)
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, at) => at + 1))
})

async function oldSqlite(upTo: number): Promise<string> {
  const url = await freshSqlite()
  const file = openSqliteFile(url.slice('sqlite:'.length), 1_000)
  const kysely = new Kysely<Tables>({ dialect: file.dialect })
  await migrate(kysely, 'sqlite', migrations.slice(0, upTo))
  await writeRoles(kysely)
  file.close()
  return url
}

async function oldPostgres(upTo: number): Promise<string> {
  const url = await emptyPostgres()
  const pool = openPostgresPool(url, 1_000, () => undefined)
  const kysely = new Kysely<Tables>({ dialect: pool.dialect })
  await migrate(kysely, 'postgres', migrations.slice(0, upTo))
  await writeRoles(kysely)
  await pool.close()
  return url
}

async function writeRoles(kysely: Kysely<Tables>): Promise<void> {
  await sql`insert into roles (name, grants, description, is_shipped, updated_at)
    values ('own', '[]', 'made before', 0, 1)`.execute(kysely)
}

test.each([
  ['SQLite', oldSqlite],
  ['PostgreSQL', oldPostgres],
] as const)('a database of any earlier version is brought up to date with what it holds (%s)', async (_name, make) => {
  for (const upTo of [1, 12, 18, 20]) {
    const database = await openDatabase({ url: await make(upTo) })
    onTestFinished(() => database.close())
    const history = await sql<{ version: number; name: string }>`
      select version, name from castellan_migrations order by version`.execute(database.query)
    expect(history.rows).toEqual(migrations.map(({ version, name }) => ({ version, name })))
    expect(await database.query.selectFrom('roles').selectAll().execute()).toEqual([
      { name: 'own', grants: '[]', description: 'made before', is_shipped: 0, updated_at: 1, owner: null },
    ])
    expect(await database.query.selectFrom('review_items').selectAll().execute()).toEqual([])
  }
})
