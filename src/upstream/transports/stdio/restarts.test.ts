import { expect, onTestFinished, test, vi } from 'vitest'
import { type Clock, systemClock } from '#kernel'
import { createTestClock } from '../../../../test/world/clock.ts'
import { temporaryFolder } from '../../../../test/world/folder.ts'
import { UpstreamCaller } from '../../../../test/world/servers/upstream-caller.ts'
import { defaultLimits, type UpstreamRecord } from '../transport.ts'
import { createStdio, type ChildNews } from './stdio.ts'

/** A server in one line of script: `on(message, send)` answers. Handshakes are answered before. */
function scripted(on: string, start = ''): UpstreamRecord {
  const script = `
    const send = (m) => process.stdout.write((typeof m === 'string' ? m : JSON.stringify({ jsonrpc: '2.0', ...m })) + '\\n');
    ${start};
    const on = ${on};
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const m = JSON.parse(line);
      if (m.method === 'initialize') send({ id: m.id, result: { protocolVersion: '2025-11-25', capabilities: {}, pid: process.pid } });
      else on(m, send);
    });`
  return {
    name: 'scripted',
    transport: 'stdio',
    command: [process.execPath, '-e', script],
    environment: {},
    isDemo: false,
  }
}

const echo = scripted('(m, send) => m.id && send({ id: m.id, result: { pid: process.pid, params: m.params } })')

function world(clock: Clock, eventsPerSecond = 1_000) {
  const news: ChildNews[] = []
  const transport = createStdio({
    clock,
    limits: defaultLimits,
    settings: { current: { eventsPerSecond } },
    workFolder: temporaryFolder(),
    onNews: (item) => news.push(item),
  })
  onTestFinished(() => transport.close())
  const caller = (
    upstream: UpstreamRecord,
    rest: { ownerId?: string; era?: 'legacy' | 'modern'; deadlineMs?: number } = {},
  ) => new UpstreamCaller({ exchange: (request) => transport.exchange(request), upstream, ...rest })
  const opened = async (upstream: UpstreamRecord, ownerId = 'ada') => {
    const one = caller(upstream, { ownerId })
    const pid = Number((await one.open()).result?.['pid'])
    return { one, pid }
  }
  return { transport, news, caller, opened }
}

const mortal = scripted(
  "(m, send) => { if (m.method === 'die') process.exit(3); if (m.id) send({ id: m.id, result: { pid: process.pid } }) }",
)

/** Opens a session and has its child crash. */
async function crash({ opened, news }: ReturnType<typeof world>, ownerId = 'ada'): Promise<void> {
  const ends = news.filter(({ end }) => end !== undefined).length
  const { one } = await opened(mortal, ownerId)
  await expect(one.ask('die')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  await vi.waitFor(() => expect(news.filter(({ end }) => end !== undefined)).toHaveLength(ends + 1))
}

test('a child that crashes is started again after 1 s, 2 s, 4 s … 60 s, and calls in between are told when', async () => {
  const clock = createTestClock()
  const given = world(clock)
  for (const waitSeconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    await crash(given)
    const refused = { code: 'upstream.unavailable', retryAfterSeconds: waitSeconds }
    await expect(given.caller(mortal).open()).rejects.toMatchObject(refused)
    await expect(given.caller(mortal, { era: 'modern' }).ask('x')).rejects.toMatchObject(refused)
    clock.advance(waitSeconds * 1_000 - 1)
    await expect(given.caller(mortal).open()).rejects.toMatchObject({ ...refused, retryAfterSeconds: 1 })
    clock.advance(1)
  }
  expect(given.news.filter(({ end }) => end === undefined)).toHaveLength(8)
})

test('a minute without a crash is forgiving, a millisecond less is not', async () => {
  const clock = createTestClock()
  const given = world(clock)
  await crash(given)
  for (const [livedMs, waitSeconds] of [
    [59_999, 2],
    [60_000, 1],
  ] as const) {
    clock.advance(60_000)
    const { one } = await given.opened(mortal)
    clock.advance(livedMs)
    await expect(one.ask('die')).rejects.toThrow()
    await vi.waitFor(() =>
      expect(given.caller(mortal).open()).rejects.toMatchObject({ retryAfterSeconds: waitSeconds }),
    )
  }
})

test("one owner's crash keeps no other owner waiting, an end that was asked for keeps nobody", async () => {
  const given = world(createTestClock())
  await crash(given)
  const { one } = await given.opened(mortal, 'eve')
  await one.end()
  expect((await given.opened(mortal, 'eve')).pid).toBeGreaterThan(0)
  await given.transport.forget('scripted')
  expect((await given.opened(mortal)).pid).toBeGreaterThan(0)
})

test('a program that cannot be started is not tried at every call', async () => {
  const { caller } = world(createTestClock())
  const missing = { ...echo, command: ['/nonexistent/program'] }
  await expect(caller(missing).open()).rejects.toMatchObject({ code: 'upstream.unreachable' })
  await expect(caller(missing).open()).rejects.toMatchObject({ code: 'upstream.unavailable', retryAfterSeconds: 1 })
})

test('a child that writes lines beyond the rate is held back first, then ended; answers to calls are not counted', async () => {
  const flood = scripted(`(m, send) => {
    if (m.method !== 'flood') return m.id && send({ id: m.id, result: {} })
    const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: {} }) + '\\n'
    const pour = () => { while (process.stdout.write(note.repeat(100))); process.stdout.once('drain', pour) }
    pour()
  }`)
  const given = world(systemClock, 100)
  const { one } = await given.opened(flood)
  await Promise.all(Array.from({ length: 1_200 }, () => one.ask('x')))
  expect(given.news).toHaveLength(1)
  const startedAt = performance.now()
  await expect(one.ask('flood')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  expect(performance.now() - startedAt).toBeGreaterThan(5_000)
})
