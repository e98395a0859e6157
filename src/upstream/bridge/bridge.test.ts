import { castellanItself } from '#kernel'
import { openDatabase } from '#platform/database'
import type { UpstreamSettings } from '#upstream'
import { expect, onTestFinished, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { freshSqlite } from '../../../test/world/databases.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { answerAsOfOld, type Asked, startOldServer } from '../../../test/world/servers/old-server.ts'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

type Json = Record<string, unknown>

async function behind(settings: Partial<UpstreamSettings> = {}, address?: { command: string[] }) {
  const server = await startOldServer()
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const clock = createTestClock(Date.now())
  const world = await openUpstreams(database, { settings, clock })
  const upstream = await addUpstream(world, 'some', address ?? { url: server.url })
  const { exchange } = world.upstreams
  const client = (capabilities: Json = {}, ownerId = 'ada', deadlineMs = 15_000) =>
    new ModernClient({ exchange, upstream, capabilities, ownerId, deadlineMs })
  const legacy = () => new UpstreamCaller({ exchange, upstream })
  return { ...world, server, upstream, clock, client, legacy }
}

async function behindRaw() {
  const { server, upstreams, upstream } = await behind()
  return { server, upstream, exchange: upstreams.exchange }
}

const discovered = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  ttlMs: 0,
  cacheScope: 'private',
}

/** A server of 2026-07-28 and of nothing else. */
function answerAsOfToday(asked: Asked): void {
  const meta = asked.params['_meta'] as Json | undefined
  if (meta?.['io.modelcontextprotocol/protocolVersion'] === undefined) {
    const error = { code: -32602, message: 'no envelope' }
    return asked.send(400, { jsonrpc: '2.0', id: asked.id, error })
  }
  if (asked.method === 'server/discover') return asked.result(discovered)
  asked.result(asked.method === 'tools/list' ? { ...discovered, tools: [] } : { resultType: 'complete', content: [] })
}

const error = (code: number, data?: Json) => ({
  error: { code, message: 'no', ...(data === undefined ? {} : { data }) },
})

test('a server of the client’s own era is asked nothing but what the client asks', async () => {
  const { server, client, legacy } = await behind()
  const ben = legacy()
  await ben.open()
  await ben.ask('tools/list')
  expect(server.methods()).toEqual(['initialize', 'notifications/initialized', 'tools/list'])
  const modern = await behind()
  modern.server.answer = answerAsOfToday
  const ada = modern.client()
  await ada.ask('server/discover')
  await ada.ask('tools/list')
  await ada.call('x')
  expect(modern.server.methods()).toEqual(['server/discover', 'tools/list', 'tools/call'])
  void client
})

test('a first call that has an effect is sent only once it is known in which era', async () => {
  const modern = await behind()
  modern.server.answer = answerAsOfToday
  expect(await modern.client().call('x')).toMatchObject({ status: 200, result: { resultType: 'complete' } })
  expect(modern.server.methods()).toEqual(['server/discover', 'tools/call'])
  const old = await behind()
  expect(await old.client().call('x')).toMatchObject({ status: 200, result: { resultType: 'complete' } })
  expect(old.server.methods()).toEqual(['server/discover', 'initialize', 'notifications/initialized', 'tools/call'])
})

const legacyAnswers: readonly (readonly [string, (asked: Asked) => void])[] = [
  ['an unknown method', (asked) => asked.send(200, { jsonrpc: '2.0', id: asked.id, ...error(-32601) })],
  ['a missing session', (asked) => asked.send(400, { jsonrpc: '2.0', id: null, ...error(-32000) })],
  ['nothing at the path', (asked) => asked.send(404)],
  ['another way to ask', (asked) => asked.send(405)],
  ['a result of something else', (asked) => asked.result({ content: [] })],
  [
    'older revisions only',
    (asked) => {
      asked.send(400, { jsonrpc: '2.0', id: asked.id, ...error(-32022, { supported: ['2025-06-18'] }) })
    },
  ],
]

test.each(legacyAnswers)('a server that answers the probe with %s is one of old', async (_name, answer) => {
  const { server, client } = await behind()
  server.answer = (asked) => (asked.method === 'server/discover' ? answer(asked) : answerAsOfOld(asked))
  expect((await client().ask('tools/list')).result).toMatchObject({ resultType: 'complete', tools: [{ name: 'echo' }] })
})

test.each([401, 403, 407, 429, 500, 502, 503])(
  'a status of %i says nothing of the era, and is handed up',
  async (status) => {
    const { server, client } = await behind()
    server.answer = (asked) => asked.send(status)
    const { hopProblem } = await client().call('x')
    expect(hopProblem).toBeDefined()
    expect(server.methods()).toEqual(['server/discover'])
    server.answer = answerAsOfToday
    expect((await client().call('x')).result).toMatchObject({ resultType: 'complete' })
    expect(server.of('initialize')).toEqual([])
  },
)

test('a server that cannot be reached, or says nothing, is not one of old', async () => {
  const { server, client } = await behind()
  server.answer = () => undefined
  await expect(client({}, 'ada', 300).call('x')).rejects.toMatchObject({ code: 'upstream.timeout' })
  expect(server.of('initialize')).toEqual([])
  server.answer = answerAsOfToday
  expect((await client().call('x')).status).toBe(200)
})

test('calls that come at once ask for the era once, and shake hands once', async () => {
  const { server, client } = await behind()
  const ada = client()
  const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => ada.call(`tool-${at}`)))
  expect(answers.every(({ result }) => result?.['resultType'] === 'complete')).toBe(true)
  expect(server.of('server/discover')).toHaveLength(1)
  expect(server.of('initialize')).toHaveLength(1)
})

test('a verdict that a server is of old is doubted after ten minutes, and not before', async () => {
  const { server, client, clock } = await behind()
  const ada = client()
  await ada.call('x')
  server.answer = (asked) => {
    if (asked.method === 'server/discover') asked.result(discovered)
    else answerAsOfOld(asked)
  }
  clock.advance(10 * 60_000 - 1)
  await ada.call('x')
  expect(server.of('server/discover')).toHaveLength(1)
  clock.advance(1)
  expect((await ada.call('x')).status).toBe(200)
  await expect.poll(() => server.of('server/discover').length).toBe(2)
  server.answer = answerAsOfToday
  expect((await ada.call('y')).result).toMatchObject({ resultType: 'complete' })
  expect(server.of('tools/call').at(-1)?.headers['mcp-session-id']).toBeUndefined()
})

test('a legacy client of a server that speaks 2026-07-28 alone is served, too', async () => {
  const { server, legacy } = await behind()
  server.answer = answerAsOfToday
  const ben = legacy()
  expect((await ben.open()).result).toMatchObject({ protocolVersion: '2025-11-25' })
  expect((await ben.ask('tools/list')).result).toMatchObject({ tools: [] })
})

test('the envelope stays here: what a server of old gets is a request of its own revision', async () => {
  const { server, client } = await behind()
  const params = { name: 'x', arguments: { n: '_N_' }, task: { ttl: 1 } }
  await client().ask('tools/call', params, { meta: { progressToken: 'p', traceparent: 't', 'example.com/x': 1 } })
  const [called] = server.of('tools/call')
  expect(called?.params).toEqual({
    name: 'x',
    arguments: { n: '_N_' },
    _meta: { progressToken: called?.id, traceparent: 't', 'example.com/x': 1 },
  })
  expect(called?.headers['mcp-protocol-version']).toBe('2025-06-18')
  expect(Object.keys(called?.headers ?? {}).filter((name) => /^mcp-(method|name|param)/.test(name))).toEqual([])
})

test('what is not the bridge’s passes to the letter, in both directions', async () => {
  const { server, exchange, upstream } = await behindRaw()
  const given = '{ "n": 1.50, "s": "\\u00e9" }'
  const told = '{"value": 12345678901234567890, "text": "\\ud83d"}'
  server.answer = (asked) => {
    if (asked.method !== 'tools/call') return answerAsOfOld(asked)
    asked.text(`{"jsonrpc":"2.0","result":{"content":[],"structuredContent":${told}},"id":${JSON.stringify(asked.id)}}`)
  }
  const meta = '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}'
  const text = `{"jsonrpc":"2.0","id":"raw-1","method":"tools/call","params":{"name":"x","_meta":{${meta}},"arguments":${given}}}`
  const { only } = await exchange({
    upstream,
    ownerId: 'ada',
    era: 'modern',
    httpMethod: 'POST',
    message: { kind: 'request', id: 'raw-1', method: 'tools/call' },
    body: Buffer.from(text),
    headers: {},
    signal: new AbortController().signal,
    deadlineMs: 10_000,
  })
  expect(server.of('tools/call')[0]?.body).toContain(`"arguments":${given}`)
  expect(only?.body).toContain(`"structuredContent":${told}`)
})

test('a session that the server ended is opened again, once, and never told of', async () => {
  const { server, client } = await behind()
  const ada = client()
  await ada.call('x')
  const known = server.of('tools/call')[0]?.headers['mcp-session-id']
  server.answer = (asked) => (asked.headers['mcp-session-id'] === known ? asked.send(404) : answerAsOfOld(asked))
  expect((await ada.call('x')).status).toBe(200)
  expect(server.of('initialize')).toHaveLength(2)
  server.answer = (asked) => (asked.method === 'tools/call' ? asked.send(404) : answerAsOfOld(asked))
  await expect(ada.call('x')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  expect(server.of('initialize')).toHaveLength(3)
})

test('a client that hangs up cancels its call at the server, under the id that it has there', async () => {
  const { server, client } = await behind()
  const ada = client()
  await ada.ask('tools/list')
  server.answer = (asked) => (asked.method === 'tools/call' ? undefined : answerAsOfOld(asked))
  const hangUp = new AbortController()
  const call = ada.ask('tools/call', { name: 'x' }, { signal: hangUp.signal })
  await expect.poll(() => server.of('tools/call').length).toBe(1)
  hangUp.abort()
  await expect(call).rejects.toMatchObject({ code: 'upstream.cancelled' })
  await expect.poll(() => server.of('notifications/cancelled').length).toBe(1)
  expect(server.of('notifications/cancelled')[0]?.params['requestId']).toBe(server.of('tools/call')[0]?.id)
})

test('log messages reach the client that asked for them, from its level on', async () => {
  const { server, client } = await behind()
  server.answer = (asked) => {
    if (asked.method !== 'tools/call') return answerAsOfOld(asked)
    for (const level of ['debug', 'info', 'error']) {
      asked.event({ method: 'notifications/message', params: { level, data: level } })
    }
    asked.event({ id: asked.id, result: { content: [] } })
    asked.end()
  }
  const levelsOf = async (meta: Json) => {
    const { notes } = await client().ask('tools/call', { name: 'x' }, { meta })
    return notes.map(({ params }) => (params as Json)['level'])
  }
  expect(await levelsOf({})).toEqual([])
  expect(await levelsOf({ 'io.modelcontextprotocol/logLevel': 'info' })).toEqual(['info', 'error'])
  expect(await levelsOf({ 'io.modelcontextprotocol/logLevel': 'error' })).toEqual(['error'])
  expect(server.of('logging/setLevel').map(({ params }) => params['level'])).toEqual(['info'])
})

const form = { mode: 'form', message: 'Sure?', requestedSchema: { type: 'object', properties: {} } }
const asking = { elicitation: { form: {} } }

/** A server whose tool asks before it answers, as often as it is told. */
function answerAsking(times: number) {
  const open = new Map<unknown, { asked: Asked; left: number }>()
  return (asked: Asked): void => {
    if (asked.method === 'tools/call') {
      open.set(`q-${String(asked.id)}-${times}`, { asked, left: times })
      return asked.event({ id: `q-${String(asked.id)}-${times}`, method: 'elicitation/create', params: form })
    }
    const call = asked.method === undefined ? open.get(asked.id) : undefined
    if (call === undefined) return answerAsOfOld(asked)
    asked.send(202)
    const left = call.left - 1
    const next = `q-${String(call.asked.id)}-${left}`
    open.set(next, { asked: call.asked, left })
    if (left > 0) return call.asked.event({ id: next, method: 'elicitation/create', params: form })
    call.asked.event({ id: call.asked.id, result: { content: [] } })
    call.asked.end()
  }
}

function retryOf(result: Json | undefined): Json {
  const [key = ''] = Object.keys((result?.['inputRequests'] ?? {}) as Json)
  return { requestState: result?.['requestState'], inputResponses: { [key]: { action: 'accept', content: {} } } }
}

test('a call asks ten times and is answered; one that asks an eleventh time ends', async () => {
  const { server, client } = await behind()
  const ada = client(asking)
  for (const [times, ends] of [
    [10, 'result'],
    [11, 'error'],
  ] as const) {
    server.answer = answerAsking(times)
    let told = await ada.call('x')
    for (let round = 0; round < times; round += 1) {
      if (told.result?.['resultType'] !== 'input_required') break
      told = await ada.call('x', {}, retryOf(told.result))
    }
    expect(told[ends], `${times} rounds`).toBeDefined()
    expect(told.result?.['resultType']).not.toBe('input_required')
  }
  await expect.poll(() => server.of('notifications/cancelled').length).toBe(1)
})

test('as many calls wait for answers as one person may have; what one more asks is refused, and none is lost', async () => {
  const { server, client, clock } = await behind({ bridge: { maxParkedPerOwner: 2, maxParked: 3 } })
  server.answer = answerAsking(1)
  const ask = async (ownerId: string) => (await client(asking, ownerId).call('x')).result
  const goOn = async (ownerId: string, result: Json | undefined) =>
    (await client(asking, ownerId).call('x', {}, retryOf(result))).result?.['resultType']
  const [first, second] = [await ask('ada'), await ask('ada')]
  expect([first, second].map((result) => result?.['resultType'])).toEqual(['input_required', 'input_required'])
  expect((await ask('ada'))?.['resultType']).toBe('complete')
  const refused = server.arrived.filter(({ body }) => body.includes('too many questions are open'))
  expect(refused).toHaveLength(1)
  const bens = await ask('ben')
  expect((await ask('cleo'))?.['resultType']).toBe('complete')
  expect(await goOn('ben', bens)).toBe('complete')
  expect([await goOn('ada', first), await goOn('ada', second)]).toEqual(['complete', 'complete'])
  const left = await ask('ada')
  clock.advance(1)
  expect((await ask('ada'))?.['resultType']).toBe('input_required')
  expect(server.of('notifications/cancelled')).toEqual([])
  clock.advance(9_998)
  expect((await ask('ada'))?.['resultType']).toBe('complete')
  clock.advance(1)
  expect((await ask('ada'))?.['resultType']).toBe('input_required')
  await expect.poll(() => server.of('notifications/cancelled').length).toBe(1)
  expect(await goOn('ada', left)).toBeUndefined()
})

test('an answer that is missing is asked for again, and the call goes on with it', async () => {
  const { server, client } = await behind()
  server.answer = answerAsking(1)
  const ada = client(asking)
  const first = await ada.call('x')
  const empty = await ada.call('x', {}, { ...retryOf(first.result), inputResponses: { other: {} } })
  expect(empty.result).toMatchObject({ resultType: 'input_required' })
  expect(empty.result?.['requestState']).not.toBe(first.result?.['requestState'])
  expect((await ada.call('x', {}, retryOf(empty.result))).result).toMatchObject({ resultType: 'complete' })
})

test('sessions are bounded: an owner’s own idle one makes room, and one too many is refused', async () => {
  const { server, client } = await behind({ bridge: { maxSessionsPerOwner: 2 } })
  const kinds = [{}, { roots: {} }, { sampling: {} }]
  for (const capabilities of kinds) expect((await client(capabilities).call('x')).status).toBe(200)
  await expect.poll(() => server.arrived.filter(({ httpMethod }) => httpMethod === 'DELETE').length).toBe(1)
  server.answer = (asked) => (asked.method === 'tools/call' ? undefined : answerAsOfOld(asked))
  const hangUp = new AbortController()
  const open = kinds.slice(0, 2).map((capabilities) =>
    client(capabilities)
      .ask('tools/call', { name: 'x' }, { signal: hangUp.signal })
      .catch(() => undefined),
  )
  await expect.poll(() => server.of('tools/call').length).toBe(5)
  expect(await client({ sampling: {} }).call('x')).toMatchObject({ status: 503, hopProblem: 'overloaded' })
  expect((await client({ sampling: {} }, 'ben').ask('tools/list')).status).toBe(200)
  hangUp.abort()
  await Promise.all(open)
})

test('capabilities in another order are the same capabilities', async () => {
  const { server, client } = await behind()
  await client({ roots: {}, elicitation: { form: {}, url: {} } }).call('x')
  await client({ elicitation: { url: {}, form: {} }, roots: {} }).call('x')
  expect(server.of('initialize')).toHaveLength(1)
})

test('a removed upstream takes its verdict and its sessions with it', async () => {
  const { server, client, upstreams } = await behind()
  await client().call('x')
  await upstreams.catalog.remove('some', castellanItself)
  await upstreams.catalog.refresh()
  server.answer = answerAsOfToday
  const upstream = await addUpstream({ upstreams } as never, 'some', { url: server.url })
  const again = new ModernClient({ exchange: upstreams.exchange, upstream })
  expect((await again.call('x')).result).toMatchObject({ resultType: 'complete' })
  expect(server.of('tools/call').at(-1)?.headers['mcp-session-id']).toBeUndefined()
})

test('sessions of all owners are bounded, too: the longest unused one of anybody makes room', async () => {
  const { server, client } = await behind({ bridge: { maxSessions: 2 } })
  for (const ownerId of ['ada', 'ben', 'cleo']) expect((await client({}, ownerId).call('x')).status).toBe(200)
  await expect.poll(() => server.arrived.filter(({ httpMethod }) => httpMethod === 'DELETE').length).toBe(1)
  await client({}, 'ben').call('x')
  expect(server.of('initialize')).toHaveLength(3)
  await client({}, 'ada').call('x')
  expect(server.of('initialize')).toHaveLength(4)
})
