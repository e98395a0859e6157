/**
 * An upstream answers with more than anybody can want, and with streams that never end: of messages, and of nothing but
 * comments that say it is still there.
 */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, vi } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked, type LyingUpstream } from '../world/servers/lying-upstream.ts'

const answerBytes = 100_000

function onCall(liar: LyingUpstream, answer: (asked: Asked) => void): void {
  liar.answer = (asked) => (asked.method === 'tools/call' ? answer(asked) : answerHonestly(asked))
}

/** A response of exactly so many bytes. */
function responseOf(id: unknown, bytes: number): string {
  const around = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [], pad: '' } }).length
  return JSON.stringify({ jsonrpc: '2.0', id, result: { content: [], pad: 'x'.repeat(bytes - around) } })
}

const eventOf = (text: string) => `data: ${text}\n\n`
const note = (pad: number) =>
  eventOf(
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 'x'.repeat(pad) },
    }),
  )

function startEvents({ res }: Asked): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
}

async function start(env: Record<string, string>): Promise<{ world: World; liar: LyingUpstream; token: string }> {
  const world = await startWorld({ env })
  const liar = await addLyingUpstream(world)
  return { world, liar, token: await world.ana.mint('liar') }
}

const limited = { CASTELLAN_LIMITS__ANSWER_BYTES: String(answerBytes) }

proves(
  'LIM-3',
  'a JSON answer at the limit passes, one byte more is the error of an upstream that misbehaved',
  async () => {
    const { world, liar, token } = await start(limited)
    const call = () => world.post({ token, upstream: 'liar', message: callTool('echo') })
    let bytes = answerBytes
    onCall(liar, ({ res, id }) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end(responseOf(id, bytes))
    })
    expect((await call()).body).toHaveProperty('result')
    bytes += 1
    const { status, body } = await call()
    expect([status, body]).toMatchObject([
      200,
      { id: 1, error: { code: -32603, data: { code: 'gateway.upstream-misbehaved' } } },
    ])
    expect(liar.of('tools/call')).toHaveLength(2)
    expect(await entriesOf(world, 'event=call.completed', 2)).toMatchObject([
      { outcome: 'succeeded' },
      { outcome: 'failed', details: { fault: 'upstream.answer-too-large' } },
    ])
  },
)

proves(
  'LIM-3',
  'a stream at the limit passes, one byte more ends it with an error after what came before',
  async () => {
    const { world, liar, token } = await start(limited)
    const call = () => world.post({ token, upstream: 'liar', message: callTool('echo') })
    let bytes = answerBytes
    onCall(liar, (asked) => {
      startEvents(asked)
      const first = note(50_000)
      asked.res.end(first + eventOf(responseOf(asked.id, bytes - first.length - eventOf('').length)))
    })
    const whole = await call()
    expect(whole.events).toMatchObject([{ method: 'notifications/message' }, { id: 1, result: { content: [] } }])
    bytes += 1
    const cut = await call()
    expect(cut.events.at(-1)).toMatchObject({ id: 1, error: { data: { code: 'gateway.upstream-misbehaved' } } })
    expect(JSON.stringify(cut.events)).not.toContain('pad')
    expect(await entriesOf(world, 'event=call.completed', 2)).toMatchObject([
      { outcome: 'succeeded' },
      { outcome: 'failed', details: { fault: 'upstream.answer-too-large', isTruncated: true } },
    ])
  },
)

proves('LIM-3', 'messages without end are cut at the limit, and the upstream is let go of', async () => {
  const { world, liar, token } = await start(limited)
  let sentBytes = 0
  onCall(liar, (asked) => {
    startEvents(asked)
    const pour = (): void => {
      while (!asked.res.destroyed) {
        const text = sentBytes % 2 === 0 ? note(1_001) : `: ${'x'.repeat(1_000)}\n\n`
        sentBytes += text.length
        if (!asked.res.write(text)) return void asked.res.once('drain', pour)
      }
    }
    pour()
  })
  const { events } = await world.post({ token, upstream: 'liar', message: callTool('echo') })
  expect(events.at(-1)).toMatchObject({ id: 1, error: { data: { code: 'gateway.upstream-misbehaved' } } })
  await vi.waitFor(() => expect(liar.of('tools/call')[0]?.res.destroyed).toBe(true), { timeout: 5_000 })
  const [entry] = await entriesOf(world, 'event=call.completed', 1)
  expect(entry).toMatchObject({ outcome: 'failed', details: { isTruncated: true } })
})

proves('LIM-3', 'neither messages nor bare comments keep a call alive beyond its time', async () => {
  const { world, liar, token } = await start({ CASTELLAN_LIMITS__STREAM_SECONDS: '1' })
  const call = async () => {
    const startedAt = performance.now()
    const { events } = await world.post({ token, upstream: 'liar', message: callTool('echo') })
    return { last: events.at(-1), tookMs: performance.now() - startedAt }
  }
  for (const beat of [':\n\n', ': still here\n\n', note(1)]) {
    onCall(liar, (asked) => {
      startEvents(asked)
      const beating = setInterval(() => asked.res.write(beat), 30)
      asked.res.once('close', () => clearInterval(beating))
    })
    const { last, tookMs } = await call()
    expect(last).toMatchObject({ id: 1, error: { code: 504, data: { code: 'gateway.call-too-long' } } })
    expect(tookMs).toBeGreaterThan(950)
    expect(tookMs).toBeLessThan(5_000)
  }
  await vi.waitFor(() => expect(liar.of('tools/call').every(({ res }) => res.destroyed)).toBe(true), { timeout: 5_000 })
  onCall(liar, (asked) => void setTimeout(() => answerHonestly(asked), 500))
  expect((await world.post({ token, upstream: 'liar', message: callTool('echo') })).body).toHaveProperty('result')
  const cut = await entriesOf(world, 'event=call.cut', 3)
  expect(cut.every(({ refusal }) => refusal === 'gateway.call-too-long')).toBe(true)
})

proves('LIM-3', 'an answer that dribbles in without an end is cut, too, before anything of it is sent', async () => {
  const { world, liar, token } = await start({ CASTELLAN_LIMITS__STREAM_SECONDS: '1' })
  onCall(liar, ({ res }) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    const dribble = setInterval(() => res.write(' '), 30)
    res.once('close', () => clearInterval(dribble))
  })
  const { status, body } = await world.post({ token, upstream: 'liar', message: callTool('echo') })
  expect([status, body]).toMatchObject([504, { id: 1, error: { data: { code: 'gateway.call-too-long' } } }])
  await vi.waitFor(() => expect(liar.of('tools/call')[0]?.res.destroyed).toBe(true), { timeout: 5_000 })
  expect(await entriesOf(world, 'event=call.cut', 1)).toMatchObject([{ refusal: 'gateway.call-too-long' }])
})

proves('LIM-3', 'a stream that waits for news has neither limit', async () => {
  const world = await startWorld({ env: { ...limited, CASTELLAN_LIMITS__STREAM_SECONDS: '1' } })
  const token = await world.ana.mint('books')
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
  let receivedBytes = 0
  let isEnded = false
  const sent = request(`${world.gatewayUrl}/servers/books/mcp`, { headers, agent: false }, (response) => {
    response.on('data', (chunk: Buffer) => (receivedBytes += chunk.length))
    response.once('close', () => (isEnded = true))
  })
  onTestFinished(() => void sent.destroy())
  sent.on('error', () => undefined).end()
  await vi.waitFor(() => expect(world.books.openStreams()).toBe(1), { timeout: 5_000 })
  await sleep(1_500)
  for (let count = 0; count < 30; count++) {
    world.books.notify('notifications/message', { level: 'info', data: 'x'.repeat(10_000) })
  }
  await vi.waitFor(() => expect(receivedBytes).toBeGreaterThan(2 * answerBytes), { timeout: 5_000 })
  expect(isEnded).toBe(false)
})
