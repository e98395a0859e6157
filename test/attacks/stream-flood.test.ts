/**
 * One person opens streams and calls that never end, to leave neither connections of the upstream nor room in the process
 * for anybody else.
 */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, vi } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool, modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly } from '../world/servers/lying-upstream.ts'

interface Stream {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly code: unknown
  close(): void
}

/** Opens a stream of news and leaves it open. */
function openStream(world: World, token: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    const sent = request(`${world.gatewayUrl}/servers/books/mcp`, { headers, agent: false }, (response) => {
      const { statusCode: status = 0, headers: got } = response
      const close = () => sent.destroy()
      response.on('error', () => undefined)
      if (status === 200) return resolve({ status, retryAfter: undefined, code: undefined, close })
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.once('end', () => {
        const { error } = JSON.parse(text) as { error?: { data?: { code?: unknown } } }
        resolve({ status, retryAfter: got['retry-after'], code: error?.data?.code, close })
      })
    })
    sent.on('error', reject)
    onTestFinished(() => void sent.destroy())
    sent.end()
  })
}

proves(
  'LIM-2',
  'streams have a ceiling for one person and one for all; calls go on, and one that ends makes room',
  async () => {
    const world = await startWorld({
      env: { CASTELLAN_LIMITS__OPEN_STREAMS: '5', CASTELLAN_LIMITS__OPEN_STREAMS_PER_PRINCIPAL: '3' },
    })
    const ben = await world.join('ben', [reader])
    const tokens = [await ben.mint('books'), await ben.mint('books')]
    const ana = await world.ana.mint('books')
    const bens: Stream[] = []
    for (let at = 0; at < 3; at++) bens.push(await openStream(world, tokens[at % 2] ?? ''))
    expect(bens.map(({ status }) => status)).toEqual([200, 200, 200])
    for (const token of tokens) {
      expect(await openStream(world, token)).toMatchObject({
        status: 429,
        retryAfter: '5',
        code: 'gateway.too-many-streams',
      })
    }
    const params = { notifications: { toolsListChanged: true } }
    const listening = await world.post({
      token: tokens[0],
      ...modern({ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params }),
    })
    expect(listening.status).toBe(429)
    expect((await openStream(world, ana)).status).toBe(200)
    expect((await openStream(world, ana)).status).toBe(200)
    expect(await openStream(world, ana)).toMatchObject({ status: 503, retryAfter: '5', code: 'gateway.streams-full' })
    expect(world.books.openStreams()).toBe(5)
    expect(world.books.calls('subscriptions/listen')).toHaveLength(0)
    for (const token of [ana, tokens[0]]) {
      expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    }
    bens[0]?.close()
    await vi.waitFor(() => expect(world.books.openStreams()).toBe(4), { timeout: 5_000 })
    await vi.waitFor(async () => expect((await openStream(world, ana)).status).toBe(200), { timeout: 5_000 })
    const refused = await world.ledger('&event=call.refused&refusal=gateway.too-many-streams')
    expect(refused).toHaveLength(3)
    for (const entry of refused) {
      expect(entry).toMatchObject({ principal: { name: 'ben' }, details: { guard: 'await-turn' } })
    }
  },
)

proves(
  'LIM-2',
  'a person who leaves no call unanswered takes their own share of an upstream, and no more',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [reader])
    const tokens = [await ben.mint('books'), await ben.mint('books')]
    const ana = await world.ana.mint('books')
    const slow = () => world.books.calls('tools/call').filter(({ body }) => body.includes('"slow"')).length
    const waiting = Array.from({ length: 32 + 96 }, (_, id) =>
      world.post({ token: tokens[id % 2], message: callTool('slow', 'wait', id) }),
    )
    await vi.waitFor(() => expect(slow()).toBe(32), { timeout: 15_000 })
    await sleep(300)
    expect(slow()).toBe(32)
    await vi.waitFor(async () => {
      const beyond = await world.post({ token: tokens[0], message: callTool('slow', 'wait', 'beyond') })
      expect(beyond.status).toBe(429)
      expect(beyond.headers.get('retry-after')).toBe('1')
      expect(beyond.body).toMatchObject({ id: 'beyond', error: { data: { code: 'gateway.too-many-calls' } } })
    })
    const startedAt = performance.now()
    expect((await world.post({ token: ana, message: callTool('echo') })).status).toBe(200)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
    expect((await world.post({ token: tokens[1], message: cancel })).status).toBe(202)
    let isDone = false
    const all = Promise.all(waiting).finally(() => (isDone = true))
    while (!isDone) {
      world.books.finishSlow('done')
      await sleep(20)
    }
    const answers = await all
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(answers.map(({ body }) => body['id'])).toEqual(waiting.map((_, id) => id))
    expect(slow()).toBe(128)
    const refused = await world.ledger('&event=call.refused&refusal=gateway.too-many-calls')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toMatchObject({ principal: { name: 'ben' }, details: { guard: 'await-turn' } })
  },
)

proves(
  ['LIM-2', 'AUT-4'],
  'a call that waits for its turn when its token is revoked never reaches the upstream',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [reader])
    const token = await ben.mint('books')
    const open = Array.from({ length: 40 }, (_, id) => world.post({ token, message: callTool('slow', 'wait', id) }))
    await vi.waitFor(() => expect(world.books.calls('tools/call')).toHaveLength(32), { timeout: 15_000 })
    const { body } = await ben.api('GET', '/tokens')
    for (const { id } of body['items'] as { id: string }[]) await ben.api('DELETE', `/tokens/${id}`)
    const answers = await Promise.all(open)
    expect(answers.every(({ status }) => status === 401)).toBe(true)
    expect(world.books.calls('tools/call')).toHaveLength(32)
    expect(await entriesOf(world, 'event=call.cut', 32)).toHaveLength(32)
    expect(await world.ledger('&event=call.refused&refusal=identity.token-invalid')).toHaveLength(8)
  },
)

proves('LIM-2', 'lists that are never answered are held to the same share', async () => {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  const token = await world.ana.mint('liar')
  liar.answer = (asked) => void (asked.method === 'prompts/list' || answerHonestly(asked))
  const gone = new AbortController()
  onTestFinished(() => gone.abort())
  for (let id = 0; id < 40; id++) {
    const message = { jsonrpc: '2.0', id, method: 'prompts/list', params: {} }
    world.post({ token, upstream: 'liar', message, signal: gone.signal }).catch(() => undefined)
  }
  await vi.waitFor(() => expect(liar.of('prompts/list')).toHaveLength(32), { timeout: 15_000 })
  await sleep(300)
  expect(liar.of('prompts/list')).toHaveLength(32)
  expect(await world.ledger('&event=call.intended')).toHaveLength(32)
})

proves(
  'LIM-2',
  'a person gets back the places of calls they cancelled, also from a server that goes on with them',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [reader])
    const token = await ben.mint('books')
    const stuck = Array.from({ length: 32 }, (_, id) => world.post({ token, message: callTool('slow', 'wait', id) }))
    await vi.waitFor(() => expect(world.books.calls('tools/call')).toHaveLength(32), { timeout: 15_000 })
    for (let id = 0; id < 32; id++) {
      const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } }
      expect((await world.post({ token, message: cancel })).status).toBe(202)
    }
    expect((await world.post({ token, message: callTool('echo', 'free', 'next') })).status).toBe(200)
    for (const { body } of await Promise.all(stuck)) {
      expect(body).toMatchObject({ error: { data: { code: 'gateway.cancelled' } } })
    }
    expect(world.books.calls('notifications/cancelled')).toHaveLength(32)
    const cut = await entriesOf(world, 'event=call.cut', 32)
    expect(new Set(cut.map(({ refusal }) => refusal))).toEqual(new Set(['gateway.cancelled']))
  },
  60_000,
)
