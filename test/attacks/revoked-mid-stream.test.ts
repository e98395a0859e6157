/**
 * A thief has an open event stream when the owner revokes the token: on a running call, on the session's GET stream,
 * and with a call that waits for the upstream. All must end, and the upstream must be let go.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool, initialize } from '../world/messages.ts'

async function within(milliseconds: number, isTrue: () => boolean): Promise<void> {
  const until = Date.now() + milliseconds
  while (!isTrue() && Date.now() < until) await sleep(20)
  expect(isTrue()).toBe(true)
}

async function revokeAll(world: World): Promise<void> {
  const { body } = await world.ana.api('GET', '/tokens')
  for (const { id } of body['items'] as { id: string }[]) await world.ana.api('DELETE', `/tokens/${id}`)
}

proves('AUT-4', 'revoking a token ends its running calls and its streams within a second', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const started = await world.post({ token, message: initialize })
  const session = started.headers.get('mcp-session-id') ?? ''
  const dripping = world.post({ token, message: callTool('drip', 'x', 'drip') })
  const waiting = world.post({ token, message: callTool('slow', 'x', 'slow') })
  const listening = await fetch(`${world.gatewayUrl}/servers/books/mcp`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'mcp-session-id': session },
  })
  expect(listening.status).toBe(200)
  await within(3_000, () => world.books.openStreams() === 2 && world.books.calls('tools/call').length === 2)

  const revokedAt = Date.now()
  await revokeAll(world)
  const [dripped, waited] = await Promise.all([dripping, waiting, listening.text()])
  expect(Date.now() - revokedAt).toBeLessThan(1_000)

  const reason = { code: 'identity.token-invalid' }
  expect(dripped.body).toMatchObject({ id: 'drip', error: { data: reason } })
  expect(waited.body).toMatchObject({ id: 'slow', error: { data: reason } })
  await within(1_000, () => world.books.openStreams() === 0)
  const next = await world.post({ token, message: callTool('echo') })
  expect(next.status).toBe(401)
  expect(world.books.calls('tools/call')).toHaveLength(2)
  const cut = await entriesOf(world, 'event=call.cut', 3)
  expect(cut.map((entry) => entry.refusal)).toEqual(Array(3).fill('identity.token-invalid'))
})

proves(['AUT-4', 'POL-1'], 'losing a role, and being suspended, ends the running calls it allowed', async () => {
  const world = await startWorld()
  for (const [name, method, path] of [
    ['ben', 'DELETE', `/people/ben/roles/${reader}`],
    ['mallory', 'POST', '/people/mallory/suspend'],
  ] as const) {
    const person = await world.join(name, [reader])
    const token = await person.mint('books')
    const running = world.post({ token, message: callTool('drip') })
    await within(3_000, () => world.books.openStreams() === 1)
    const takenAt = Date.now()
    const taken = await world.ana.api(method, path, method === 'POST' ? {} : undefined)
    expect(taken.status, JSON.stringify(taken.body)).toBeLessThan(300)
    expect((await running).body).toHaveProperty('error')
    expect(Date.now() - takenAt).toBeLessThan(1_000)
    await within(1_000, () => world.books.openStreams() === 0)
    expect((await world.post({ token, message: callTool('echo') })).status).toBeGreaterThanOrEqual(401)
  }
  expect(world.books.calls('tools/call')).toHaveLength(2)
  await entriesOf(world, 'event=call.cut', 2)
})

proves(
  ['AUT-4', 'PIN-1'],
  'withdrawing a tool, and removing its server, ends running calls on every node',
  async () => {
    const world = await startWorld({ database: 'postgres' })
    const other = await world.secondNode()
    const token = await world.ana.mint('books')
    const otherToken = await other.mint(world.ana.sessionToken(), 'books')
    const nodes = [
      { gatewayUrl: world.gatewayUrl, token },
      { gatewayUrl: other.gatewayUrl, token: otherToken },
    ]
    for (const [method, path, body] of [
      ['POST', '/upstreams/books/tools/reject', { tools: ['drip'] }],
      ['DELETE', '/upstreams/books', undefined],
    ] as const) {
      const tool = method === 'POST' ? 'drip' : 'slow'
      const already = world.books.calls('tools/call').length
      const running = nodes.map((node) => world.post({ ...node, message: callTool(tool) }))
      await within(5_000, () => world.books.calls('tools/call').length === already + nodes.length)
      const withdrawnAt = Date.now()
      const withdrawn = await world.ana.api(method, path, body)
      expect(withdrawn.status, JSON.stringify(withdrawn.body)).toBe(200)
      for (const answer of await Promise.all(running)) expect(answer.body).toHaveProperty('error')
      expect(Date.now() - withdrawnAt).toBeLessThan(1_500)
      const next = await world.post({ token: otherToken, gatewayUrl: other.gatewayUrl, message: callTool(tool) })
      expect(next.body).toHaveProperty('error')
    }
    expect(world.books.calls('tools/call')).toHaveLength(4)
    await entriesOf(world, 'event=call.cut&refusal=gateway.tool-not-approved', 1)
  },
)
