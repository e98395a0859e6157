/**
 * Streams are opened and forgotten: by a machine that was left behind, or by a thief who waits for what may come. A stream that
 * nobody uses, and one that is as old as a stream may be, ends in good order; a client that is still there opens it again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool, initialize, modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, sendEvent } from '../world/servers/lying-upstream.ts'

const slackMs = 1_000

function listen(world: World, token: string, path = '/servers/books/mcp', headers: Record<string, string> = {}) {
  const own = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
  return fetch(`${world.gatewayUrl}${path}`, { headers: { ...own, ...headers } })
}

proves(
  'SES-8',
  'a stream that nobody uses ends, says why, and may be opened again; one that is used goes on',
  async () => {
    const world = await startWorld({ env: { CASTELLAN_LIMITS__OPEN_STREAM_IDLE_SECONDS: '2' } })
    const ben = await world.join('ben', [reader])
    const [idle, used] = [await ben.mint('books'), await ben.mint('books')]
    const started = await world.post({ token: idle, message: initialize })
    const session = { 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' }
    const openedAt = Date.now()
    const [forgotten, old, busy] = await Promise.all([
      listen(world, idle, undefined, session),
      listen(world, idle, '/servers/books/sse'),
      listen(world, used),
    ])
    let isBusyOver = false
    void busy.text().then(
      () => (isBusyOver = true),
      () => undefined,
    )
    const asking = (async () => {
      while (Date.now() - openedAt < 4_000) {
        await world.post({ token: used, message: callTool('echo') })
        await sleep(300)
      }
    })()
    const [text, oldText] = await Promise.all([forgotten.text(), old.text()])
    const lastedMs = Date.now() - openedAt
    expect(lastedMs).toBeGreaterThanOrEqual(2_000)
    expect(lastedMs).toBeLessThan(2_000 + 2 * slackMs)
    for (const told of [text, oldText]) expect(told).toContain(': gateway.stream-idle\nretry: 1000\n\n')
    await asking
    expect(isBusyOver).toBe(false)
    const again = await listen(world, idle, undefined, session)
    expect(again.status).toBe(200)
    await again.body?.cancel()
    const cut = await entriesOf(world, 'event=call.cut&refusal=gateway.stream-idle', 2)
    for (const entry of cut) expect(entry).toMatchObject({ principal: { name: 'ben' } })
    await busy.body?.cancel().catch(() => undefined)
  },
)

proves('SES-8', 'a stream that is used ends when it is as old as one may be, as its protocol has it', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__OPEN_STREAM_SECONDS: '2' } })
  const liar = await addLyingUpstream(world)
  const acknowledged = { method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } }
  liar.answer = (asked) =>
    void (asked.method === 'subscriptions/listen' ? sendEvent(asked, acknowledged) : answerHonestly(asked))
  const [token, onLiar] = [await world.ana.mint('books'), await world.ana.mint('liar')]
  const params = { notifications: { toolsListChanged: true } }
  const openedAt = Date.now()
  const message = { jsonrpc: '2.0', id: 7, method: 'subscriptions/listen', params }
  const listening = world.post({ token: onLiar, upstream: 'liar', ...modern(message) })
  const news = listen(world, token).then((response) => response.text())
  let isOver = false
  const over = Promise.all([listening, news]).finally(() => (isOver = true))
  while (!isOver) {
    await world.post({ token, message: callTool('echo') })
    await sleep(200)
  }
  const [subscription, text] = await over
  expect(Date.now() - openedAt).toBeGreaterThanOrEqual(2_000)
  expect(Date.now() - openedAt).toBeLessThan(2_000 + 2 * slackMs)
  const _meta = { 'io.modelcontextprotocol/subscriptionId': 7 }
  expect(subscription.events.at(-1)).toEqual({ jsonrpc: '2.0', id: 7, result: { resultType: 'complete', _meta } })
  expect(text).toContain(': gateway.stream-too-long\nretry: 1000\n\n')
  await entriesOf(world, 'event=call.cut&refusal=gateway.stream-too-long', 2)
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
})
