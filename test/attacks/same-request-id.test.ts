/**
 * Ben and Mallory send requests with the same JSON-RPC id at the same time, and Mallory cancels "her" request 1, hoping
 * to be answered with Ben's result or to end his call.
 */
import { expect } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool, initialize, listTools } from '../world/messages.ts'

/** How long the gateway trusts what an upstream said its tools are. */
const definitionsFreshMs = 60_000

proves('SES-2', 'equal ids of two clients never meet: each gets its own answer, and cancels only its own', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const mallory = await world.join('mallory', [reader])
  const [benToken, malloryToken] = [await ben.mint('books'), await mallory.mint('books')]
  const echoes = Array.from({ length: 20 }, (_, index) => {
    const isBen = index % 2 === 0
    const text = `${isBen ? 'ben' : 'mallory'} ${index}`
    return world
      .post({ token: isBen ? benToken : malloryToken, message: callTool('echo', text, 1) })
      .then((answer) => [text, answer.body] as const)
  })
  for (const [text, body] of await Promise.all(echoes)) {
    expect(body['id']).toBe(1)
    expect(JSON.stringify(body)).toContain(text)
  }
  const sent = world.books.calls('tools/call').map(({ message }) => message?.id)
  expect(new Set(sent).size).toBe(20)

  const waiting = world.post({ token: benToken, message: callTool('slow', 'x', 1) })
  while (world.books.calls('tools/call').length < 21) await sleep(10)
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
  expect((await world.post({ token: malloryToken, message: cancel })).status).toBe(202)
  expect(world.books.calls('notifications/cancelled')).toHaveLength(0)
  expect((await world.post({ token: benToken, message: cancel })).status).toBe(202)
  expect(world.books.calls('notifications/cancelled')[0]?.message?.params).toEqual({
    requestId: world.books.calls('tools/call').at(-1)?.message?.id,
  })
  world.books.finishSlow('done')
  expect(JSON.stringify((await waiting).body)).toContain('done')
  const completed = await world.ledger('&event=call.completed')
  expect(completed.filter((entry) => entry.target?.name === 'slow')).toHaveLength(1)
})

proves(
  'SES-2',
  'an upstream never sees one request id twice in a session, the questions of the gateway included',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const started = await world.post({ token, message: initialize })
    const headers = { 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' }
    for (const text of ['first', 'second']) {
      expect((await world.post({ token, headers, message: callTool('echo', text, 1) })).status).toBe(200)
      expect((await world.post({ token, headers, message: { ...listTools, id: 1 } })).status).toBe(200)
      world.clock.advance(definitionsFreshMs)
    }
    const session = world.books.arrived.findLast(({ message }) => message?.method === 'tools/call')?.headers[
      'mcp-session-id'
    ]
    const inSession = world.books.arrived.filter(({ headers: sent }) => sent['mcp-session-id'] === session)
    const ids = inSession.flatMap(({ message }) => message?.id ?? [])
    expect(ids).toHaveLength(6)
    expect(new Set(ids).size).toBe(6)
    expect(await world.ledger('&event=definitions.checked')).toHaveLength(2)
  },
)
