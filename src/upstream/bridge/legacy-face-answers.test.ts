import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#kernel'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { defaultBalance } from '../balance/settings.ts'
import { createStreamableHttp } from '../transports/streamable-http/streamable-http.ts'
import { defaultLimits, type UpstreamRecord } from '../transports/transport.ts'
import type { FaceLimits } from '../legacy-face/face.ts'
import { createLegacyFace } from './legacy-face.ts'

interface Asked {
  readonly id: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** What a server answers: a status, and a message in which `$id` stands for the id of the request. */
type Script = (asked: Asked) => readonly [status: number, body: string] | undefined

const discovered = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {}, 'example/x': {} }, unheardOf: {} },
  ttlMs: 0,
  cacheScope: 'private',
}

const result = (value: string): string => `{"jsonrpc":"2.0","id":$id,"result":${value}}`
const error = (code: number): string => `{"jsonrpc":"2.0","id":$id,"error":{"code":${code},"message":"of the server"}}`

/** A face over a server that answers by a script, and a client that has opened a session when the script allows it. */
async function scripted(script: Script, limits: Partial<FaceLimits> = {}) {
  const refused: string[] = []
  const asked: Asked[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const { id, method } = JSON.parse(text) as { id: string; method: string }
    const one = { id, method, headers: req.headers, text }
    asked.push(one)
    const isDiscover = method === 'server/discover'
    const [status, body] = script(one) ?? [200, result(isDiscover ? JSON.stringify(discovered) : '{"tools":[]}')]
    if (body === '') return void res.writeHead(status).end()
    res.writeHead(status, { 'content-type': 'application/json' }).end(body.replaceAll('$id', JSON.stringify(id)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  const http = createStreamableHttp({ limits: defaultLimits, settings: { current: defaultBalance } })
  const place = http.open(url)
  const face = createLegacyFace({
    exchange: (request) => place.exchange(request),
    clock: systemClock,
    node: 'n',
    limits,
    onRefused: ({ upstream, ownerId, method }) => refused.push(`${upstream} ${ownerId} ${method}`),
  })
  onTestFinished(async () => {
    await face.close()
    await place.destroy()
    http.close()
    server.close()
  })
  const upstream: UpstreamRecord = { name: 'scripted', transport: 'http', url, environment: {}, isDemo: false }
  const caller = new UpstreamCaller({ exchange: (request) => face.exchange(request), upstream })
  return { caller, asked, refused }
}

const asking = (...requests: readonly unknown[]): string =>
  result(JSON.stringify({ resultType: 'input_required', inputRequests: { ...requests }, requestState: 's' }))

const call = (script: (asked: Asked) => readonly [number, string]): Script => {
  return (asked) => (asked.method === 'tools/call' ? script(asked) : undefined)
}

test('of a server’s capabilities those pass that a legacy client can use, and the server is named when it does not say', async () => {
  const { caller } = await scripted(() => undefined)
  expect((await caller.open()).result).toEqual({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {}, extensions: { 'example/x': {} } },
    serverInfo: { name: 'scripted', version: '0' },
  })
})

test.each([
  ['2025-03-26', '2025-03-26'],
  ['2025-06-18', '2025-06-18'],
  ['2025-11-25', '2025-11-25'],
  ['2026-07-28', '2025-11-25'],
  ['1999-01-01', '2025-11-25'],
])('a client that asks for %s is offered %s', async (protocolVersion, offered) => {
  const { caller } = await scripted(() => undefined)
  const opened = await caller.ask('initialize', { protocolVersion, capabilities: {} })
  expect(opened.result?.['protocolVersion']).toBe(offered)
})

test('an introduction that is none is refused, and asks the server nothing', async () => {
  const { caller, asked } = await scripted(() => undefined)
  expect((await caller.ask('initialize', {})).error).toMatchObject({ code: -32602 })
  expect((await caller.ask('initialize', { protocolVersion: '2025-11-25', capabilities: [] })).status).toBe(200)
  expect(asked).toEqual([])
})

test('capabilities and a name are repeated with each request, unless they are too long for that', async () => {
  const { caller, asked } = await scripted(() => undefined)
  const introduce = async (infoChars: number, capabilityChars: number) => {
    const clientInfo = { n: 'n'.repeat(infoChars - '{"n":""}'.length) }
    const capabilities = { x: 'x'.repeat(capabilityChars - '{"x":""}'.length) }
    await caller.ask('initialize', { protocolVersion: '2025-11-25', capabilities, clientInfo })
    return asked.at(-1)?.text ?? ''
  }
  const both = await introduce(4_096, 8_192)
  expect(both).toContain('"io.modelcontextprotocol/clientCapabilities":{"x":')
  expect(both).toContain('"io.modelcontextprotocol/clientInfo":{"n":')
  const neither = await introduce(4_097, 8_193)
  expect(neither).toContain('"io.modelcontextprotocol/clientCapabilities":{}')
  expect(neither).not.toContain('clientInfo')
})

test('what a server calls tasks is not offered, and a task that is asked for is a plain call', async () => {
  const { caller, asked } = await scripted(call(() => [200, result('{"content":[]}')]))
  await caller.open()
  const meta = {
    'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
    'io.modelcontextprotocol/related-task': {},
  }
  await caller.ask('tools/call', { name: 't', task: { ttl: 1 }, inputResponses: {}, requestState: 'x', _meta: meta })
  const params = (JSON.parse(asked.at(-1)?.text ?? '') as { params: Record<string, unknown> }).params
  expect(Object.keys(params).toSorted()).toEqual(['_meta', 'name'])
  expect(Object.keys(params['_meta'] as object).toSorted()).toEqual([
    'io.modelcontextprotocol/clientCapabilities',
    'io.modelcontextprotocol/clientInfo',
    'io.modelcontextprotocol/protocolVersion',
  ])
  expect(asked.at(-1)?.text).not.toContain('clientCapabilities":{"sampling":{}}')
})

test('numbers that no double holds pass in a result as they were written', async () => {
  const exact = '{"content":[],"structuredContent":{"big":12345678901234567890.10},"resultType":"complete","ttlMs":5}'
  const { caller } = await scripted(call(() => [200, result(exact)]))
  await caller.open()
  const answer = await caller.start('tools/call', { name: 't' })
  expect(answer.kind === 'json' && answer.only.body).toBe(
    '{"jsonrpc":"2.0","id":"t-2","result":{"content":[],"structuredContent":{"big":12345678901234567890.10}}}',
  )
})

test.each([
  [404, -32601, -32601],
  [400, -32602, -32602],
  [200, -32603, -32603],
  [200, 7, 7],
])('an error of the server (%i, %i) is told in band', async (status, code, told) => {
  const { caller } = await scripted(call(() => [status, error(code)]))
  await caller.open()
  const answer = await caller.ask('tools/call', { name: 't' })
  expect([answer.status, answer.error]).toEqual([200, { code: told, message: 'of the server' }])
})

test.each([-32020, -32021, -32022])('%i is about what castellan sent, and is told in other words', async (code) => {
  const { caller } = await scripted(call(() => [400, error(code)]))
  await caller.open()
  const { status, error: told } = await caller.ask('tools/call', { name: 't' })
  expect([status, told?.['code']]).toEqual([200, -32603])
  expect(told?.['message']).not.toContain('of the server')
})

test('headers that do not fit are learned anew, and the call is sent once more under another id', async () => {
  const tool = (type: string) => ({ name: 't', inputSchema: { properties: { a: { type, 'x-mcp-header': 'A' } } } })
  let lists = 0
  const { caller, asked } = await scripted(({ method, headers }) => {
    if (method === 'tools/list')
      return [200, result(JSON.stringify({ tools: [tool((lists += 1) === 1 ? 'object' : 'string')] }))]
    if (method !== 'tools/call') return undefined
    return headers['mcp-param-a'] === 'x' ? [200, result('{"content":[]}')] : [400, error(-32020)]
  })
  await caller.open()
  expect((await caller.ask('tools/call', { name: 't', arguments: { a: 'x' } })).result).toEqual({ content: [] })
  const calls = asked.filter(({ method }) => method === 'tools/call')
  expect(calls).toHaveLength(2)
  expect(calls[0]?.id).not.toBe(calls[1]?.id)
})

test('a result of a kind that was not asked for is no result', async () => {
  const kinds = [
    '{"resultType":"task","taskId":"1"}',
    '{"resultType":"surprise"}',
    '{"resultType":"input_required"}',
    '{"resultType":"input_required","inputRequests":{"a":{"method":"tools/call","params":{}}}}',
    '{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create"}}}',
    '{"resultType":"input_required","requestState":1}',
    `{"resultType":"input_required","inputRequests":{${Array.from({ length: 33 }, (_, at) => `"${at}":{"method":"roots/list"}`).join()}}}`,
  ]
  for (const kind of kinds) {
    const { caller } = await scripted(call(() => [200, result(kind)]))
    await caller.open()
    await expect(caller.ask('tools/call', { name: 't' }), kind).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  }
})

test('only a tool, a prompt and a resource may ask back', async () => {
  const { caller } = await scripted(({ method }) =>
    method === 'tools/list' ? [200, result('{"resultType":"input_required","requestState":"x"}')] : undefined,
  )
  await caller.open()
  await expect(caller.ask('tools/list')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
})

test('an answer without a message never looks like an ended session', async () => {
  for (const status of [404, 405, 202, 200]) {
    const { caller } = await scripted(call(() => [status, '']))
    await caller.open()
    await expect(caller.ask('tools/call', { name: 't' }), String(status)).rejects.toMatchObject({
      code: 'upstream.misbehaved',
    })
  }
})

test('trouble on the way to the server is told as that', async () => {
  for (const [status, hopProblem] of [
    [401, 'credentials-refused'],
    [503, 'overloaded'],
    [500, 'failed'],
  ] as const) {
    const { caller } = await scripted(call(() => [status, '']))
    await caller.open()
    expect(await caller.start('tools/call', { name: 't' })).toMatchObject({ status, hopProblem })
  }
  const { caller } = await scripted(() => [401, ''])
  const answer = await caller.start('initialize', { protocolVersion: '2025-11-25' })
  expect(answer).toMatchObject({ status: 401, hopProblem: 'credentials-refused' })
})

test('trouble on the way after the server has asked back ends the call as what it is', async () => {
  for (const [status, code] of [
    [503, 'upstream.busy'],
    [401, 'upstream.credentials-refused'],
    [500, 'upstream.misbehaved'],
  ] as const) {
    let rounds = 0
    const { caller } = await scripted(call(() => ((rounds += 1) === 1 ? [200, asking()] : [status, ''])))
    await caller.open()
    await expect(caller.ask('tools/call', { name: 't' })).rejects.toMatchObject({ code })
  }
})

test('a server that speaks another revision opens no session', async () => {
  const { caller } = await scripted(() => [200, result('{"supportedVersions":["2099-01-01"],"capabilities":{}}')])
  await expect(caller.open()).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  const refusing = await scripted(() => [400, error(-32022)])
  const opened = await refusing.caller.open()
  expect([opened.sessionId, opened.error?.['code']]).toEqual([undefined, -32603])
})

test('a server that tells no news has no stream of them, and nothing to subscribe to', async () => {
  const { caller } = await scripted(() => undefined)
  await caller.open()
  expect((await caller.listen()).status).toBe(405)
  expect((await caller.ask('resources/subscribe', { uri: 'test://a' })).error).toMatchObject({ code: -32601 })
  expect((await caller.ask('logging/setLevel', { level: 'info' })).error).toMatchObject({ code: -32601 })
})

const form = { method: 'elicitation/create', params: { mode: 'form', message: 'm', requestedSchema: {} } }
const visit = { method: 'elicitation/create', params: { mode: 'url', message: 'm', url: 'https://idp.example' } }
const sampling = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }
const withTools = { ...sampling, params: { ...sampling.params, tools: [] } }
const roots = { method: 'roots/list' }

test.each([
  ['2025-11-25', {}, form, 'elicitation.form'],
  ['2025-11-25', { elicitation: {} }, visit, 'elicitation.url'],
  ['2025-06-18', { elicitation: { url: {} } }, visit, 'elicitation.url'],
  ['2025-11-25', { elicitation: {} }, sampling, 'sampling'],
  ['2025-11-25', { sampling: {} }, withTools, 'sampling.tools'],
  ['2025-11-25', { sampling: {} }, roots, 'roots'],
])('a client of %s that can %j is not asked %j', async (protocolVersion, capabilities, request, missing) => {
  const { caller, refused } = await scripted(call(() => [200, asking(request)]))
  caller.sessionId = (await caller.ask('initialize', { protocolVersion, capabilities })).sessionId
  const { messages, result: told } = await caller.ask('tools/call', { name: 't' })
  expect(messages).toHaveLength(1)
  expect(told?.['isError']).toBe(true)
  expect(JSON.stringify(told)).toContain(`\`${missing}\``)
  expect(refused).toEqual([`scripted ada ${request.method}`])
})

test('a capability for questions that names no mode is the one for forms', async () => {
  for (const elicitation of [{}, { applyDefaults: true }, { form: {} }]) {
    const { caller } = await scripted(
      call(() => [200, asking(form)]),
      { roundTimeoutMs: 20 },
    )
    const introduced = { protocolVersion: '2025-06-18', capabilities: { elicitation } }
    caller.sessionId = (await caller.ask('initialize', introduced)).sessionId
    const { messages } = await caller.ask('tools/call', { name: 't' })
    expect(messages[0]?.['method']).toBe('elicitation/create')
  }
})

test('a server that cannot list its tools is called without headers for arguments', async () => {
  const { caller, asked } = await scripted(({ method }) => {
    if (method === 'tools/list') return [200, '{']
    return method === 'tools/call' ? [200, result('{"content":[]}')] : undefined
  })
  await caller.open()
  expect((await caller.ask('tools/call', { name: 't', arguments: { a: 'x' } })).result).toEqual({ content: [] })
  expect(asked.map(({ method }) => method)).toEqual(['server/discover', 'tools/list', 'tools/call'])
})

test('as many questions as one may be asked at once are asked; of a prompt the failure is an error', async () => {
  const most = Array.from({ length: 32 }, () => roots)
  const ofPrompts: Script = ({ method }) => (method === 'prompts/get' ? [200, asking(...most)] : undefined)
  const { caller } = await scripted(ofPrompts, { roundTimeoutMs: 20 })
  await caller.open()
  const { messages, error: told } = await caller.ask('prompts/get', { name: 'p' })
  expect(messages.filter(({ method }) => method === 'roots/list')).toHaveLength(32)
  expect(messages.filter(({ method }) => method === 'notifications/cancelled')).toHaveLength(32)
  expect(told).toMatchObject({ code: -32603, data: { code: 'upstream.input-unanswered' } })
})

test('for its roots a client has less time than a person for a form', async () => {
  const limits = { rootsTimeoutMs: 30, roundTimeoutMs: 60_000 }
  const { caller } = await scripted(
    call(() => [200, asking(form, roots)]),
    limits,
  )
  await caller.open()
  const { result: told } = await caller.ask('tools/call', { name: 't' })
  expect(JSON.stringify(told)).toContain('did not answer')
  const forms = await scripted(
    call(() => [200, asking(form)]),
    { rootsTimeoutMs: 10, roundTimeoutMs: 80 },
  )
  await forms.caller.open()
  const startedAt = performance.now()
  await forms.caller.ask('tools/call', { name: 't' })
  expect(performance.now() - startedAt).toBeGreaterThan(60)
})

test('ten rounds may be asked, and the tenth answer may be the end', async () => {
  let calls = 0
  const again = result('{"resultType":"input_required","requestState":"s"}')
  const script = call(() => [200, (calls += 1) <= 10 ? again : result('{"content":[]}')])
  const { caller } = await scripted(script, { pauseMs: 1 })
  await caller.open()
  expect((await caller.ask('tools/call', { name: 't' })).result).toEqual({ content: [] })
  expect(calls).toBe(11)
})

test('a session is subscribed to so many resources and no more', async () => {
  const can = { ...discovered, capabilities: { resources: { subscribe: true } } }
  const { caller } = await scripted(
    ({ method }) => (method === 'server/discover' ? [200, result(JSON.stringify(can))] : undefined),
    { maxSubscriptions: 2 },
  )
  await caller.open()
  const subscribe = async (uri: string) => (await caller.ask('resources/subscribe', { uri })).error?.['code']
  expect([await subscribe('test://1'), await subscribe('test://2'), await subscribe('test://2')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(await subscribe('test://3')).toBe(-32602)
  for (const uri of ['test://1', 'test://2']) await caller.ask('resources/unsubscribe', { uri })
  expect(await subscribe('test://3')).toBeUndefined()
  expect(await subscribe('x'.repeat(2_049))).toBe(-32602)
  expect(await subscribe('x'.repeat(2_048))).toBeUndefined()
})

test('a tool that its server lists on a later page is found there, and one that is nowhere is looked for once', async () => {
  const mirrored = { name: 't', inputSchema: { properties: { a: { type: 'string', 'x-mcp-header': 'A' } } } }
  const { caller, asked } = await scripted(({ method, text }) => {
    if (method === 'tools/call') return [200, result('{"content":[]}')]
    if (method !== 'tools/list') return undefined
    return [
      200,
      result(text.includes('"cursor":"2"') ? JSON.stringify({ tools: [mirrored] }) : '{"tools":[],"nextCursor":"2"}'),
    ]
  })
  await caller.open()
  await caller.ask('tools/call', { name: 't', arguments: { a: 'x' } })
  expect(asked.at(-1)?.headers['mcp-param-a']).toBe('x')
  await caller.ask('tools/call', { name: 'nowhere', arguments: { a: 'x' } })
  await caller.ask('tools/call', { name: 'nowhere', arguments: { a: 'x' } })
  expect(asked.filter(({ method }) => method === 'tools/list')).toHaveLength(2)
  expect(asked.at(-1)?.headers).not.toHaveProperty('mcp-param-a')
})
