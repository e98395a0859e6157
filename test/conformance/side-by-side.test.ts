import { expect, onTestFinished, test } from 'vitest'
import { startWorld } from '../world/castellan.ts'
import { putBehind } from '../world/servers/peers.ts'
import { startUpstream } from './upstreams.ts'

type Json = Record<string, unknown>
type Server = 'both-eras' | 'legacy-only' | 'first-line'

interface Place {
  readonly url: string
  readonly headers: Record<string, string>
  /** The headers of a session that is open there. */
  readonly session: Record<string, string>
}

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly message?: Json
  /** Sent in the session of its place. */
  readonly inSession?: boolean
  /** Events to read of a stream that stays open. */
  readonly events?: number
}

const both = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
const legacyHeaders = { ...both, 'mcp-protocol-version': '2025-11-25' }
const clientInfo = { name: 'side by side', version: '1' }

interface Places {
  readonly direct: Place
  readonly through: Place
}

const ofTest = (): AbortSignal => {
  const ended = new AbortController()
  onTestFinished(() => ended.abort())
  return ended.signal
}

/** Each server as it is, and behind one gateway. */
async function startPlaces<Name extends Server>(...names: readonly Name[]): Promise<Record<Name, Places>> {
  const world = await startWorld()
  const open = async (url: string, headers: Record<string, string>): Promise<Place> => {
    return { url, headers, session: await openSession({ url, headers, session: {} }) }
  }
  const places: Partial<Record<Name, Places>> = {}
  for (const name of names) {
    const upstream = await startUpstream(name)
    onTestFinished(() => upstream.end())
    const { token } = await putBehind(world.ana, name, { url: upstream.url })
    const url = `${world.gatewayUrl}/servers/${name}/mcp`
    places[name] = {
      direct: await open(upstream.url, {}),
      through: await open(url, { authorization: `Bearer ${token}` }),
    }
  }
  return places as Record<Name, Places>
}

function send({ url, headers }: Place, asked: Asked, signal = ofTest()): Promise<Response> {
  const { method = 'POST', message } = asked
  const body = message === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }
  return fetch(url, { method, headers: { ...headers, ...asked.headers }, signal, ...body })
}

async function openSession(place: Place): Promise<Record<string, string>> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const opened = await send(place, { headers: both, message: { id: 0, method: 'initialize', params } })
  await opened.text()
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  await send(place, { headers: { ...legacyHeaders, ...session }, message: { method: 'notifications/initialized' } })
  return session
}

/** An event without its position, which is another one each time. */
const withoutPosition = (event: string): string => event.replace(/^id: \S+$/m, 'id')

async function eventsOf(response: Response, most: number): Promise<string[]> {
  const events: string[] = []
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    const parts = (text + decoder.decode(chunk, { stream: true })).split('\n\n')
    text = parts.pop() ?? ''
    events.push(...parts.filter((part) => !part.startsWith(':')).map(withoutPosition))
    if (events.length >= most) break
  }
  return events
}

/** What a client gets to see: the status, what kind of answer it is, and every message of it. */
async function answerOf(place: Place, asked: Asked) {
  const headers = { ...asked.headers, ...(asked.inSession === true ? place.session : {}) }
  const response = await send(place, { ...asked, headers })
  const type = response.headers.get('content-type')?.split(';', 1)[0]
  const seen = {
    status: response.status,
    type,
    allow: response.headers.get('allow'),
    hasSession: asked.message?.['method'] === 'initialize' && response.headers.has('mcp-session-id'),
  }
  if (type === 'text/event-stream') return { ...seen, events: await eventsOf(response, asked.events ?? 1_000) }
  const text = await response.text()
  return { ...seen, body: text === '' ? undefined : (JSON.parse(text) as Json) }
}

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
}

function modern(
  method: string,
  params: Json = {},
  more: { meta?: Json; headers?: Record<string, string> } = {},
): Asked {
  const name = params['name'] ?? params['uri']
  const headers = {
    ...both,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    ...more.headers,
  }
  return { headers, message: { id: 'é 7', method, params: { ...params, _meta: { ...envelope, ...more.meta } } } }
}

const legacy = (method: string, params: Json = {}, more: Partial<Asked> = {}): Asked => ({
  headers: legacyHeaders,
  message: { id: 7, method, params },
  inSession: true,
  ...more,
})

const tell = (method: string, params: Json = {}): Asked => ({ ...legacy(''), message: { method, params } })
const call = (name: string, given: Json = {}) => ({ name, arguments: given })
const argument = { name: 'arg1', value: 'p' }
const ofPrompt = { ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument }
const ofTemplate = {
  ref: { type: 'ref/resource', uri: 'test://template/{id}/data' },
  argument: { ...argument, name: 'id' },
}

/** One after the other in one session, because all have one id. */
const asBefore: Readonly<Record<string, Asked>> = {
  'a ping': legacy('ping'),
  'a list of templates': legacy('resources/templates/list'),
  'a resource that does not exist': legacy('resources/read', { uri: 'test://nope' }),
  'a prompt that does not exist': legacy('prompts/get', { name: 'nope' }),
  'a prompt without its arguments': legacy('prompts/get', { name: 'test_prompt_with_arguments', arguments: {} }),
  'arguments that the tool refuses': legacy('tools/call', call('test_elicitation', { message: 3 })),
  'a tool that fails': legacy('tools/call', call('test_error_handling')),
  'a tool that logs': legacy('tools/call', call('test_tool_with_logging')),
  'progress under a token': legacy('tools/call', {
    ...call('test_tool_with_progress'),
    _meta: { progressToken: 'é 1' },
  }),
  'a stream that the server hangs up': legacy('tools/call', call('test_reconnection')),
  'sampling that the client cannot do': legacy('tools/call', call('test_sampling', { prompt: 'x' })),
  'a completion of a prompt': legacy('completion/complete', ofPrompt),
  'a completion of a template': legacy('completion/complete', ofTemplate),
  'a level that does not exist': legacy('logging/setLevel', { level: 'loud' }),
  'a subscription': legacy('resources/subscribe', { uri: 'test://watched-resource' }),
  'an older revision in the header': legacy(
    'ping',
    {},
    {
      headers: { ...legacyHeaders, 'mcp-protocol-version': '2025-06-18' },
    },
  ),
  'no revision in the header': legacy('ping', {}, { headers: both }),
  'a second handshake in a session': legacy('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo,
  }),
  'a handshake with a revision of the future': legacy(
    'initialize',
    { protocolVersion: '2029-01-01', capabilities: {}, clientInfo },
    { inSession: false },
  ),
  'no session': legacy('tools/list', {}, { inSession: false }),
  'an end without a session': { method: 'DELETE', headers: legacyHeaders },
  'a notification': tell('notifications/roots/list_changed'),
  'a cancellation of nothing': tell('notifications/cancelled', { requestId: 99 }),
  'an answer to nothing': { ...legacy(''), message: { id: 5, result: {} } },
  'an end': { method: 'DELETE', headers: legacyHeaders, inSession: true },
}

const asToday: Readonly<Record<string, Asked>> = {
  'what the server is': modern('server/discover'),
  'an empty cursor': modern('prompts/list', { cursor: '' }),
  'a resource that does not exist': modern('resources/read', { uri: 'test://nope' }),
  'a prompt that does not exist': modern('prompts/get', { name: 'nope' }),
  'arguments that the tool refuses': modern('tools/call', call('test_elicitation', { message: 3 })),
  'a tool that fails': modern('tools/call', call('test_error_handling')),
  'a tool that logs, to who wants to hear it': modern('tools/call', call('test_logging_tool'), {
    meta: { 'io.modelcontextprotocol/logLevel': 'debug' },
  }),
  'a level that does not exist': modern('tools/call', call('test_logging_tool'), {
    meta: { 'io.modelcontextprotocol/logLevel': 'loud' },
  }),
  'a tool that logs, to who does not': modern('tools/call', call('test_logging_tool')),
  'progress under a text': modern('tools/call', call('test_tool_with_progress'), { meta: { progressToken: 'é 1' } }),
  'progress under a number': modern('tools/call', call('test_tool_with_progress'), { meta: { progressToken: 12 } }),
  'a question to the client': modern('tools/call', call('test_elicitation', { message: 'who?' })),
  'a capability that the client lacks': modern('tools/call', call('test_missing_capability')),
  'an argument in a header': modern('tools/call', call('test_x_mcp_header', { region: 'eu' }), {
    headers: { 'mcp-param-region': 'eu' },
  }),
  'a header that no argument is in': modern('tools/call', call('test_simple_text'), {
    headers: { 'mcp-param-x': 'y' },
  }),
  'a completion of a prompt': modern('completion/complete', ofPrompt),
  'a completion of a template': modern('completion/complete', ofTemplate),
  'a subscription': { ...modern('subscriptions/listen', { notifications: { toolsListChanged: true } }), events: 1 },
  'a subscription to nothing': modern('subscriptions/listen'),
  'headers of sessions': modern('prompts/list', {}, { headers: { 'mcp-session-id': 'x', 'last-event-id': 'y' } }),
}

/** What is answered otherwise through the gateway. */
async function differing({ direct, through }: Places, requests: Readonly<Record<string, Asked>>): Promise<unknown[]> {
  const found: unknown[] = []
  for (const [what, asked] of Object.entries(requests)) {
    const [before, after] = await Promise.all([answerOf(direct, asked), answerOf(through, asked)])
    if (JSON.stringify(before) !== JSON.stringify(after)) found.push({ what, direct: before, through: after })
  }
  return found
}

test('in a session, a server and the gateway before it give the same answers', async () => {
  const places = await startPlaces('both-eras', 'first-line')
  for (const [name, pair] of Object.entries(places)) {
    expect(await differing(pair, asBefore), name).toEqual([])
  }
})

test('without sessions, a server and the gateway before it give the same answers', async () => {
  const { 'both-eras': pair } = await startPlaces('both-eras')
  expect(await differing(pair, asToday)).toEqual([])
})

async function hearNews(place: Place): Promise<readonly string[]> {
  const headers = { ...place.session, 'mcp-protocol-version': '2025-11-25', accept: 'text/event-stream' }
  const news = await send(place, { method: 'GET', headers })
  await answerOf(place, legacy('tools/call', call('test_trigger_tool_change')))
  return eventsOf(news, 1)
}

test('news of a session arrive on its GET stream as they do directly', async () => {
  const { 'legacy-only': pair } = await startPlaces('legacy-only')
  const heard = await hearNews(pair.through)
  expect(heard).toEqual(await hearNews(pair.direct))
  expect(heard[0]).toContain('notifications/tools/list_changed')
})

test('a notification that nothing can be decided on is refused with a status of its own, never answered in band', async () => {
  const { 'both-eras': pair } = await startPlaces('both-eras')
  const { headers = {}, message = {} } = modern('notifications/unheard-of')
  const { id: _id, ...notification } = message
  const answers = [
    { status: 400, answer: await answerOf(pair.through, tell('notifications/unheard-of')) },
    { status: 404, answer: await answerOf(pair.through, { headers, message: notification }) },
  ]
  for (const { status, answer } of answers) {
    expect(answer).toMatchObject({ status, body: { error: { code: -32601 } } })
    expect(answer).not.toHaveProperty('body.id')
  }
})
