/**
 * The table that says which servers answer together is gone: a restore that went wrong, or somebody with access to the
 * database. Who calls at a joint address meets a gateway that cannot know where the call belongs.
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { initialize, modern } from '../world/messages.ts'

proves(['JNT-1', 'LED-3'], 'a call whose server cannot be found out is refused, on record, in both eras', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('/mcp')
  const call = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'books__echo', arguments: {} } })
  const list = modern({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const ways = [call, list, { message: { ...initialize, id: 1 } }]
  for (const way of ways) expect((await world.post({ token, upstream: '/mcp', ...way })).body).toHaveProperty('result')
  const reached = world.books.arrived.length

  const database = new DatabaseSync(join(world.dataDir, 'castellan.db'))
  database.exec('alter table bundles rename to gone')
  await world.ana.api('PUT', '/roles/another', { description: 'moves the revision', grants: [] })
  for (const way of ways) {
    const { status, body } = await world.post({ token, upstream: '/mcp', ...way })
    expect(status).toBe(500)
    expect(body).toMatchObject({ id: 1, error: { code: -32603, data: { code: 'gateway.fault' } } })
    expect(JSON.stringify(body)).not.toContain('bundles')
  }
  expect(world.books.arrived).toHaveLength(reached)
  const refused = await world.ledger('&refusal=gateway.fault')
  expect(refused.map(({ details }) => details?.['guard'])).toEqual([
    'resolve-member',
    'resolve-member',
    'resolve-members',
  ])

  database.exec('alter table gone rename to bundles')
  database.close()
  for (const way of ways) expect((await world.post({ token, upstream: '/mcp', ...way })).body).toHaveProperty('result')
})
