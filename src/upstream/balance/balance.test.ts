import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { defaultLimits, type UpstreamEndpoint, type UpstreamRecord } from '../transports/transport.ts'
import { createBalance } from './balance.ts'
import { type BalanceSettings, defaultBalance } from './settings.ts'

interface Asked {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly method: string
  readonly id: unknown
}

/** A server whose answer a test can change, and that keeps what it was asked. */
async function serve(name: string) {
  const server = {
    name,
    url: '',
    asked: [] as string[],
    sessions: [] as (string | undefined)[],
    answer: ({ res, id }: Asked): void => {
      res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': `s-${name}` })
      res.end(JSON.stringify({ jsonrpc: '2.0', id, result: { by: name } }))
    },
    close: () => Promise.resolve(),
  }
  const http = createServer(async (req, res) => {
    let text = ''
    for await (const chunk of req) text += String(chunk)
    const { method = req.method, id } = (text === '' ? {} : JSON.parse(text)) as { method?: string; id?: unknown }
    server.asked.push(method ?? '')
    server.sessions.push(req.headers['mcp-session-id'] as string | undefined)
    server.answer({ req, res, method: method ?? '', id })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`
  server.close = async () => {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
  onTestFinished(async () => {
    http.closeAllConnections()
    http.close()
  })
  return server
}

type Place = { readonly name: string; readonly url: string }

const nowhere = (name: string): Place => ({ name, url: `http://127.0.0.1:1/${name}` })

/** The id is the name, filled up. */
function endpointOf({ name, url }: Place, more: Partial<UpstreamEndpoint> = {}): UpstreamEndpoint {
  return { id: name.padEnd(8, '0'), url, weight: 1, ...more }
}

function recordOf(...endpoints: UpstreamEndpoint[]): UpstreamRecord {
  return { name: 'remote', transport: 'http', url: endpoints[0]?.url ?? '', endpoints, environment: {}, isDemo: false }
}

function world(upstream: UpstreamRecord, given: Partial<BalanceSettings> = {}) {
  const clock = createTestClock()
  const news: string[] = []
  const settings = { current: { ...defaultBalance, ...given } }
  const onNews = (item: { what: string; endpoint: UpstreamEndpoint }) =>
    void news.push(`${item.what} ${item.endpoint.id}`)
  const balance = createBalance({ clock, limits: defaultLimits, settings, onNews })
  onTestFinished(() => balance.close())
  balance.keep([upstream])
  const caller = (era: 'legacy' | 'modern' = 'modern', deadlineMs = 5_000) =>
    new UpstreamCaller({ exchange: async (request) => balance.exchange(request), upstream, era, deadlineMs })
  return { balance, caller, clock, news, settings }
}

const broken = ({ res }: Asked): void => void res.destroy()
const failing = ({ res }: Asked): void => void res.writeHead(500).end()

test('a call that could not be sent is answered by the next endpoint', async () => {
  const b = await serve('b')
  const { caller, balance } = world(recordOf(endpointOf(nowhere('a')), endpointOf(b)))
  for (let times = 0; times < 2; times += 1) expect((await caller().ask('tools/call')).result).toEqual({ by: 'b' })
  expect(b.asked).toEqual(['tools/call', 'tools/call'])
  await vi.waitFor(() => expect(balance.states().map(({ inFlight }) => inFlight)).toEqual([0, 0]))
})

test('two more endpoints are tried, and not a third', async () => {
  const d = await serve('d')
  const dead = ['a', 'b', 'c'].map((name) => endpointOf(nowhere(name)))
  const { caller } = world(recordOf(...dead, endpointOf(d)))
  await expect(caller().ask('tools/call')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  expect(d.asked).toEqual([])
  expect(
    (
      await world(recordOf(...dead.slice(1), endpointOf(d)))
        .caller()
        .ask('tools/call')
    ).result,
  ).toEqual({ by: 'd' })
})

test.each([
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'ping',
  'server/discover',
])('a %s whose connection broke before its answer is asked elsewhere', async (method) => {
  const [a, b] = [await serve('a'), await serve('b')]
  a.answer = broken
  const { caller } = world(recordOf(endpointOf(a), endpointOf(b)))
  expect((await caller().ask(method)).result).toEqual({ by: 'b' })
  expect([a.asked, b.asked]).toEqual([[method], [method]])
})

test.each(['tools/call', 'prompts/get', 'completion/complete', 'initialize', 'invented'])(
  'a %s that may have arrived is never sent again',
  async (method) => {
    const [a, b] = [await serve('a'), await serve('b')]
    a.answer = broken
    const { caller } = world(recordOf(endpointOf(a), endpointOf(b)))
    await expect(caller('legacy').ask(method)).rejects.toMatchObject({ code: 'upstream.unreachable' })
    expect([a.asked, b.asked]).toEqual([[method], []])
  },
)

test('a read at a lone endpoint whose connection broke is asked there once more, and no third time', async () => {
  const a = await serve('a')
  a.answer = broken
  const { caller } = world(recordOf(endpointOf(a)))
  await expect(caller().ask('tools/list')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  expect(a.asked).toHaveLength(2)
})

test('an answer that broke off after its first byte is not asked for again', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  a.answer = ({ res }) => {
    res.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc"')
    setTimeout(() => res.destroy(), 20)
  }
  const { caller } = world(recordOf(endpointOf(a), endpointOf(b)))
  await expect(caller().ask('tools/list')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  expect(b.asked).toEqual([])
})

test('an answer that is late is not asked for again, and what is left of a deadline bounds what is', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  a.answer = () => undefined
  const { caller } = world(recordOf(endpointOf(a), endpointOf(b)))
  await expect(caller('modern', 200).ask('tools/list')).rejects.toMatchObject({ code: 'upstream.timeout' })
  expect(b.asked).toEqual([])
})

test('five failures open the breaker, calls are refused at once, and after a minute one call closes it again', async () => {
  const a = await serve('a')
  a.answer = failing
  const { caller, clock, news } = world(recordOf(endpointOf(a)))
  for (let times = 0; times < 5; times += 1) expect((await caller().ask('tools/call')).status).toBe(500)
  const startedAt = performance.now()
  await expect(caller().ask('tools/call')).rejects.toMatchObject({
    code: 'upstream.unavailable',
    retryAfterSeconds: 60,
  })
  expect(performance.now() - startedAt).toBeLessThan(100)
  expect(a.asked).toHaveLength(5)
  clock.advance(59_000)
  await expect(caller().ask('tools/call')).rejects.toMatchObject({ retryAfterSeconds: 1 })
  clock.advance(1_000)
  a.answer = ({ res, id }) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    setTimeout(() => res.end(JSON.stringify({ jsonrpc: '2.0', id, result: {} })), 100)
  }
  const asked = await Promise.allSettled([1, 2, 3].map(() => caller().ask('tools/call')))
  expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect((await caller().ask('tools/call')).status).toBe(200)
  expect(news).toEqual(['breakerOpened a0000000', 'breakerClosed a0000000'])
})

test('connections that fail, answers that never come and answers that are none open it too', async () => {
  const a = await serve('a')
  const { caller, balance } = world(recordOf(endpointOf(a)), { breakerFailures: 3 })
  a.answer = broken
  await expect(caller().ask('tools/call')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  a.answer = () => undefined
  await expect(caller('modern', 100).ask('tools/call')).rejects.toMatchObject({ code: 'upstream.timeout' })
  expect(balance.states()[0]?.isOpen).toBe(false)
  a.answer = ({ res }) => void res.writeHead(302, { location: '/' }).end()
  await expect(caller().ask('tools/call')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  expect(balance.states()[0]?.isOpen).toBe(true)
})

test('statuses below 500, errors of JSON-RPC and callers that leave do not open it', async () => {
  const a = await serve('a')
  const { caller, balance } = world(recordOf(endpointOf(a)), { breakerFailures: 1 })
  for (const status of [400, 401, 404, 429]) {
    a.answer = ({ res }) => void res.writeHead(status).end()
    expect((await caller().ask('tools/call')).status).toBe(status)
  }
  a.answer = ({ res, id }) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32603, message: 'broken inside' } }))
  }
  await caller().ask('tools/call')
  a.answer = () => undefined
  const stop = new AbortController()
  const left = caller().start('tools/call', {}, stop.signal)
  await vi.waitFor(() => expect(balance.states()[0]?.inFlight).toBe(1))
  stop.abort()
  await expect(left).rejects.toMatchObject({ code: 'upstream.cancelled' })
  expect(balance.states()).toMatchObject([{ isOpen: false, inFlight: 0 }])
})

test('one open breaker sends all calls to the other endpoint', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  a.answer = failing
  const { caller } = world(recordOf(endpointOf(a), endpointOf(b)), { breakerFailures: 2 })
  for (let times = 0; times < 20; times += 1) await caller().ask('tools/call')
  expect([a.asked.length, b.asked.length]).toEqual([2, 18])
})

test('calls stay in the region of the gateway until nobody answers there', async () => {
  const [near, far] = [await serve('near'), await serve('far')]
  const record = recordOf(endpointOf(far, { region: 'us' }), endpointOf(near, { region: 'eu' }))
  const { caller } = world(record, { region: 'eu' })
  for (let times = 0; times < 4; times += 1) await caller().ask('tools/call')
  expect([near.asked.length, far.asked.length]).toEqual([4, 0])
  await near.close()
  // WHY: until the end of its connections is noticed, a call on one of them may have arrived.
  await sleep(50)
  expect((await caller().ask('tools/call')).result).toEqual({ by: 'far' })
})

test('a session stays at the endpoint that opened it, whichever gateway is asked', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  const record = recordOf(endpointOf(a), endpointOf(b))
  const [one, other] = [world(record), world(record)]
  const callers = [one.caller('legacy'), one.caller('legacy')]
  for (const caller of callers) await caller.open()
  expect(callers.map(({ sessionId }) => sessionId)).toEqual(['~a0000000.s-a', '~b0000000.s-b'])
  for (const [at, caller] of callers.entries()) {
    const guest = other.caller('legacy')
    guest.sessionId = caller.sessionId
    for (let times = 0; times < 3; times += 1)
      expect((await guest.ask('tools/call')).result).toEqual({ by: at === 0 ? 'a' : 'b' })
  }
  expect(a.sessions.slice(2)).toEqual(['s-a', 's-a', 's-a'])
})

test('a session of an endpoint that is gone is over, and is not looked for elsewhere', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  const { caller, balance } = world(recordOf(endpointOf(a), endpointOf(b)))
  const session = caller('legacy')
  await session.open()
  balance.keep([recordOf(endpointOf(b))])
  expect(await session.start('tools/list')).toMatchObject({ status: 404, hopProblem: 'session-ended' })
  expect(b.asked).toEqual([])
})

test('a session of a dead endpoint fails, and is not looked for elsewhere', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  const { caller } = world(recordOf(endpointOf(a), endpointOf(b)))
  const session = caller('legacy')
  await session.open()
  await a.close()
  await expect(session.ask('tools/list')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  expect(b.asked).toEqual([])
})

test('a handshake that was repeated elsewhere belongs to the endpoint that answered it', async () => {
  const b = await serve('b')
  const session = world(recordOf(endpointOf(nowhere('a')), endpointOf(b))).caller('legacy')
  await session.open()
  expect(session.sessionId).toBe('~b0000000.s-b')
})

test('a session of a lone endpoint outlives the coming and the going of a second one', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  const { caller, balance } = world(recordOf(endpointOf(a)))
  const session = caller('legacy')
  await session.open()
  expect(session.sessionId).toBe('s-a')
  balance.keep([recordOf(endpointOf(a), endpointOf(b))])
  for (let times = 0; times < 3; times += 1) expect((await session.ask('x')).result).toEqual({ by: 'a' })
  const later = caller('legacy')
  for (let times = 0; later.sessionId?.startsWith('~a') !== true && times < 3; times += 1) await later.open()
  balance.keep([recordOf(endpointOf(a))])
  for (const one of [session, later]) expect((await one.ask('x')).result).toEqual({ by: 'a' })
  expect(b.sessions.every((id) => id === undefined || id === 's-b')).toBe(true)
})

test('a call under way at an endpoint that is removed is answered, and its streams end', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  const { caller, balance } = world(recordOf(endpointOf(a), endpointOf(b)))
  const honest = a.answer
  a.answer = (asked) => void setTimeout(() => honest(asked), 200)
  const calling = caller().ask('tools/call')
  await vi.waitFor(() => expect(a.asked).toHaveLength(1))
  balance.keep([recordOf(endpointOf(b))])
  expect((await calling).result).toEqual({ by: 'a' })
  expect((await caller().ask('tools/call')).result).toEqual({ by: 'b' })
})

test('as many calls wait as may; one more is refused at once, and goes to another endpoint where there is one', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  a.answer = () => undefined
  const { caller, balance } = world(recordOf(endpointOf(a)), { connections: 2, waitingCalls: 1 })
  const waiting = [1, 2, 3].map(() =>
    caller()
      .ask('tools/call')
      .catch(() => undefined),
  )
  await vi.waitFor(() => expect(balance.states()[0]?.inFlight).toBe(3))
  await vi.waitFor(() => expect(a.asked).toHaveLength(2))
  await expect(caller().ask('tools/call')).rejects.toMatchObject({ code: 'upstream.overloaded', retryAfterSeconds: 1 })
  balance.keep([recordOf(endpointOf(a), endpointOf(b))])
  expect((await caller().ask('tools/call')).result).toEqual({ by: 'b' })
  await balance.close()
  await Promise.all(waiting)
})

test('more connections are opened once the settings allow them', async () => {
  const a = await serve('a')
  a.answer = () => undefined
  const { caller, settings, balance } = world(recordOf(endpointOf(a)), { connections: 1 })
  const waiting = [1, 2].map(() =>
    caller()
      .ask('tools/call')
      .catch(() => undefined),
  )
  await vi.waitFor(() => expect(a.asked).toHaveLength(1))
  settings.current = { ...settings.current, connections: 3 }
  waiting.push(
    ...[1, 2, 3].map(() =>
      caller()
        .ask('tools/call')
        .catch(() => undefined),
    ),
  )
  await vi.waitFor(() => expect(a.asked).toHaveLength(4))
  await balance.close()
  await Promise.all(waiting)
})

test('checks open no session, count any status below 500 as alive, and take two misses in a row for unhealthy', async () => {
  const [a, b] = [await serve('a'), await serve('b')]
  a.answer = ({ res }) => void res.writeHead(400).end()
  const { caller, balance, news } = world(recordOf(endpointOf(a), endpointOf(b)), { healthMs: 40 })
  await vi.waitFor(() => expect(a.asked.length).toBeGreaterThan(2))
  expect(balance.states()).toMatchObject([{ isHealthy: true }, { isHealthy: true }])
  expect([...new Set(a.asked), ...new Set(a.sessions)]).toEqual(['server/discover', undefined])
  let misses = 0
  a.answer = (asked) => {
    misses += 1
    failing(asked)
  }
  await vi.waitFor(() => expect(news).toEqual(['endpointUnhealthy a0000000']))
  expect(misses).toBeGreaterThanOrEqual(2)
  for (let times = 0; times < 4; times += 1)
    expect((await caller('legacy').ask('initialize')).result).toEqual({ by: 'b' })
  a.answer = ({ res }) => void res.writeHead(404).end()
  await vi.waitFor(() => expect(news).toEqual(['endpointUnhealthy a0000000', 'endpointHealthy a0000000']))
})

test('a lone endpoint that misses its checks is still asked', async () => {
  const a = await serve('a')
  const honest = a.answer
  a.answer = (asked) => (asked.method === 'server/discover' ? failing(asked) : honest(asked))
  const { caller, balance } = world(recordOf(endpointOf(a)), { healthMs: 30 })
  await vi.waitFor(() => expect(balance.states()).toMatchObject([{ isHealthy: false }]))
  expect((await caller().ask('tools/call')).result).toEqual({ by: 'a' })
})

test('checks end with the endpoint', async () => {
  const a = await serve('a')
  const { balance } = world(recordOf(endpointOf(a)), { healthMs: 20 })
  await vi.waitFor(() => expect(a.asked.length).toBeGreaterThan(0))
  balance.keep([])
  await sleep(100)
  const before = a.asked.length
  await sleep(150)
  expect(a.asked.length).toBe(before)
})
