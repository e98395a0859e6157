/** A PostgreSQL server of the proof's own, with an empty database. */
import { setup } from '../../test/world/postgres.ts'
import pg from 'pg'
import type { TestProject } from 'vitest/node'

export async function withPostgres<T>(use: (url: string) => Promise<T>): Promise<T> {
  let server = ''
  const provide = (_name: string, url: string): void => {
    server = url
  }
  const tearDown = await setup({ provide } as TestProject)
  try {
    const client = new pg.Client({ connectionString: `${server}/postgres` })
    await client.connect()
    await client.query('create database kill_proof template template0')
    await client.end()
    return await use(`${server}/kill_proof`)
  } finally {
    await tearDown()
  }
}
