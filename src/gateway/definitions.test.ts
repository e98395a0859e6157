import { expect, test } from 'vitest'
import { startWorld } from '../../test/world/castellan.ts'
import { modern } from '../../test/world/messages.ts'
import { putBehind } from '../../test/world/servers/peers.ts'
import { listOf, saying, startTellingServer, toolNamed } from '../../test/world/servers/telling-server.ts'

const freshMs = 60_000

async function startListing() {
  const list = { pages: 1, toolsOnLast: 1 }
  const server = await startTellingServer(({ method, params }) => {
    if (method === 'tools/call') return saying('worked')
    if (method !== 'tools/list') return undefined
    const page = Number(params['cursor'] ?? 1)
    if (page < list.pages) return listOf('tools', [], String(page + 1))
    const others = Array.from({ length: list.toolsOnLast - 1 }, (_, index) => toolNamed(`other-${index}`))
    return listOf('tools', [toolNamed('work'), ...others])
  })
  const world = await startWorld()
  const { token } = await putBehind(world.ana, 'notes', { url: server.url })
  const call = async (afterMs = freshMs) => {
    world.clock.advance(afterMs)
    const sent = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'work', arguments: {} } })
    const { body } = await world.post({ token, upstream: 'notes', ...sent })
    return body['result'] ?? (body['error'] as { data: { code: string } }).data.code
  }
  return { list, server, call }
}

test('before a call as many pages and tools are read as the limits say; one more is the failure of the server', async () => {
  const { list, server, call } = await startListing()
  const worked = { resultType: 'complete', content: [{ type: 'text', text: 'worked' }] }
  for (const [pages, toolsOnLast, outcome] of [
    [64, 1, worked],
    [65, 1, 'gateway.upstream-misbehaved'],
    [1, 1_000, worked],
    [1, 1_001, 'gateway.upstream-misbehaved'],
    [2, 1_000, worked],
  ] as const) {
    Object.assign(list, { pages, toolsOnLast })
    expect(await call(), `${pages} pages, ${toolsOnLast} tools`).toEqual(outcome)
  }
  expect(server.asked.filter(({ method }) => method === 'tools/call')).toHaveLength(3)
})

test('what was listed a moment ago is not asked for again', async () => {
  const { server, call } = await startListing()
  await call()
  const listings = () => server.asked.filter(({ method }) => method === 'tools/list').length
  const before = listings()
  await call(freshMs - 1)
  expect(listings()).toBe(before)
  await call(1)
  expect(listings()).toBe(before + 1)
})
