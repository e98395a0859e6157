/**
 * One upstream turns hostile: it never answers, answers one byte at a time, floods events, or never ends a stream, and as
 * many calls as one person may have hang on it. The callers of another upstream must not notice.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendEvent } from '../world/servers/lying-upstream.ts'

const hangingCalls = 30
/** WHY: of 2026-07-28, in which a client that hangs up gives its place back. */
const hangingCall = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } })

/** Begins to answer, and goes on with the same until it is left. */
function forEver({ res }: Asked, type: string, everyMs: number, text: string): void {
  res.writeHead(200, { 'content-type': type })
  const timer = setInterval(() => res.write(text), everyMs)
  res.once('close', () => clearInterval(timer))
}

function pour({ res }: Asked): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  const go = (): void => {
    while (!res.destroyed) if (!res.write(':\n\n'.repeat(1_000))) return void res.once('drain', go)
  }
  go()
}

const hostilities: Readonly<Record<string, (asked: Asked) => void>> = {
  'never answers': () => undefined,
  'answers one byte at a time': (asked) => forEver(asked, 'application/json', 50, ' '),
  'sends one event a byte at a time': (asked) => forEver(asked, 'text/event-stream', 50, 'x'),
  'never ends a stream': (asked) => forEver(asked, 'text/event-stream', 50, ': here\n\n'),
  'floods events': pour,
}

async function p99Of(world: World, token: string): Promise<number> {
  const tookMs: number[] = []
  for (let times = 0; times < 150; times += 1) {
    const startedAt = performance.now()
    expect((await world.post({ token, message: callTool('echo') })).body).toHaveProperty('result')
    tookMs.push(performance.now() - startedAt)
  }
  return tookMs.toSorted((one, other) => one - other)[Math.floor(0.98 * tookMs.length)] ?? 0
}

proves(
  'UPS-8',
  'callers of another upstream are answered as before, and what hangs is given up',
  async () => {
    const world = await startWorld({ env: { CASTELLAN_LIMITS__UPSTREAM_SILENCE_SECONDS: '8' } })
    const liar = await addLyingUpstream(world)
    const [bad, good] = [await world.ana.mint('liar'), await world.ana.mint('books')]
    await p99Of(world, good)
    const calmMs = await p99Of(world, good)
    for (const [name, hostility] of Object.entries(hostilities)) {
      liar.answer = (asked) => (asked.method === 'tools/call' ? hostility(asked) : answerHonestly(asked))
      const stop = new AbortController()
      const hanging = Array.from({ length: hangingCalls }, () =>
        world.post({ token: bad, upstream: 'liar', ...hangingCall, signal: stop.signal }).catch(() => undefined),
      )
      await sleep(300)
      const attackedMs = await p99Of(world, good)
      // WHY: this one process plays all parts, the flooding server and its thirty callers too; the proof has processes of their own.
      expect(attackedMs, name).toBeLessThan(Math.max(4 * calmMs, 500))
      stop.abort()
      await Promise.all(hanging)
    }
    liar.answer = (asked) =>
      asked.method === 'tools/call' ? forEver(asked, 'application/json', 50, ' ') : answerHonestly(asked)
    const { body } = await world.post({ token: bad, upstream: 'liar', message: callTool('echo') })
    expect(body).toMatchObject({ error: { data: { code: 'gateway.upstream-timeout' } } })
    const failed = await world.ledger('&event=call.completed&refusal=gateway.upstream-timeout')
    expect(failed.length).toBeGreaterThan(0)
  },
  120_000,
)

proves('UPS-8', 'calls beyond those that may wait for one upstream are refused at once, others are not', async () => {
  const env = { CASTELLAN_UPSTREAMS__CONNECTIONS: '2', CASTELLAN_UPSTREAMS__WAITING_CALLS: '1' }
  const world = await startWorld({ env })
  const liar = await addLyingUpstream(world)
  const [bad, good] = [await world.ana.mint('liar'), await world.ana.mint('books')]
  const waiting: Asked[] = []
  liar.answer = (asked) => (asked.method === 'tools/call' ? void waiting.push(asked) : answerHonestly(asked))
  const call = () => world.post({ token: bad, upstream: 'liar', message: callTool('echo') })
  const held = [call(), call(), call()]
  while (waiting.length < 2) await sleep(10)
  await sleep(100)
  const refused = await call()
  expect(refused.body).toMatchObject({ error: { data: { code: 'gateway.upstream-overloaded' } } })
  expect(refused.headers.get('retry-after')).toBe('1')
  expect((await world.post({ token: good, message: callTool('echo') })).body).toHaveProperty('result')
  expect(liar.of('tools/call')).toHaveLength(2)
  liar.answer = answerHonestly
  for (const asked of waiting) answerHonestly(asked)
  for (const answer of await Promise.all(held)) expect(answer.body).toHaveProperty('result')
  expect(await world.ledger('&refusal=gateway.upstream-overloaded')).toHaveLength(1)
})

proves('UPS-8', 'an upstream that sends events beyond the rate is cut, and its caller is told', async () => {
  const world = await startWorld({ env: { CASTELLAN_UPSTREAMS__EVENTS_PER_SECOND: '100' } })
  const liar = await addLyingUpstream(world)
  const token = await world.ana.mint('liar')
  const call = () => world.post({ token, upstream: 'liar', message: callTool('echo') })
  const note = { method: 'notifications/message', params: { level: 'info', data: 'x' } }
  liar.answer = (asked) => {
    if (asked.method !== 'tools/call') return answerHonestly(asked)
    for (let count = 0; count < 199; count += 1) sendEvent(asked, note)
    sendEvent(asked, { id: asked.id, result: { content: [] } })
    asked.res.end()
  }
  expect((await call()).body).toHaveProperty('result')
  liar.answer = (asked) => (asked.method === 'tools/call' ? pour(asked) : answerHonestly(asked))
  const { events } = await call()
  expect(events.at(-1)).toMatchObject({ error: { data: { code: 'gateway.upstream-misbehaved' } } })
  const until = Date.now() + 5_000
  while (!liar.of('tools/call').at(-1)?.res.destroyed && Date.now() < until) await sleep(20)
  expect(liar.of('tools/call').at(-1)?.res.destroyed).toBe(true)
})
