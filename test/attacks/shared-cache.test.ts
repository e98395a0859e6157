/**
 * A cache stands between the gateway and its clients, and the upstream calls what it sends fit for everybody. Mallory
 * asks the cache for what Ben was allowed to read.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { listTools, modern } from '../world/messages.ts'
import { entriesOf } from '../world/edge/entries.ts'

proves('SES-2', 'what was allowed to one person is never marked as fit for everybody', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const token = await ben.mint('books')
  const read = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'test://open' } }
  for (const message of [listTools, read, { jsonrpc: '2.0', id: 2, method: 'resources/list', params: {} }]) {
    const answer = await world.post({ token, ...modern(message) })
    expect(answer.status).toBe(200)
    expect(answer.body['result'], message.method).toMatchObject({ cacheScope: 'private' })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  }
  expect(world.books.calls('resources/read')).toHaveLength(1)
  await entriesOf(world, 'event=call.completed', 3)
  await entriesOf(world, 'event=call.completed&person=ben', 3)
})
