/** What a hostile client sends: messages of both eras, framing and noise, on every route of both listeners. */
import { callTool, initialize, listTools, modern } from '../../test/world/messages.ts'
import { mutateMessage, oddLine } from './mutate.ts'
import type { Random } from './random.ts'

export interface Input {
  /** Which listener it goes to. */
  readonly listener: 'gateway' | 'admin'
  readonly family: string
  readonly bytes: Buffer
  /** One well-framed request: the connection may be used again after its answer. */
  readonly isWhole: boolean
}

/** What a hostile client knows: a token of its own, a session of its own and the way to the server. */
export interface Knowledge {
  readonly token: string
  readonly sessionId: string
  readonly host: { readonly gateway: string; readonly admin: string }
  readonly serverPath: string
}

const uri = 'test://open'
const legacyMessages: readonly object[] = [
  initialize,
  listTools,
  callTool('echo'),
  callTool('echo', 'x'.repeat(1_000), 'call-1'),
  callTool('stream'),
  callTool('secret_tool'),
  { jsonrpc: '2.0', id: 2, method: 'ping' },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } },
  { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'a', progress: 1 } },
  { jsonrpc: '2.0', id: 3, method: 'resources/list', params: { cursor: '' } },
  { jsonrpc: '2.0', id: 4, method: 'resources/read', params: { uri } },
  { jsonrpc: '2.0', id: 5, method: 'resources/subscribe', params: { uri } },
  { jsonrpc: '2.0', id: 6, method: 'resources/templates/list' },
  { jsonrpc: '2.0', id: 7, method: 'prompts/list' },
  { jsonrpc: '2.0', id: 8, method: 'prompts/get', params: { name: 'greet', arguments: { who: 'ana' } } },
  { jsonrpc: '2.0', id: 9, method: 'logging/setLevel', params: { level: 'debug' } },
  { jsonrpc: '2.0', id: 10, method: 'tasks/list' },
  { jsonrpc: '2.0', id: 11, result: { roots: [{ uri: 'file:///' }] } },
  { jsonrpc: '2.0', id: 12, error: { code: -32000, message: 'no' } },
  {
    jsonrpc: '2.0',
    id: 13,
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'who', value: 'a' } },
  },
]

const modernMessages: readonly { method: string; params?: Record<string, unknown> }[] = [
  { method: 'server/discover' },
  { method: 'tools/list', params: { cursor: 'x' } },
  { method: 'tools/call', params: { name: 'echo', arguments: { text: 'hello' } } },
  { method: 'tools/call', params: { name: 'stream', arguments: {} } },
  { method: 'tools/call', params: { name: 'echo', arguments: {}, requestState: 'abc', inputResponses: { a: {} } } },
  { method: 'resources/read', params: { uri } },
  { method: 'prompts/get', params: { name: 'greet' } },
  { method: 'initialize' },
  { method: 'ping' },
]

const methods = ['POST', 'POST', 'POST', 'POST', 'GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PURGE']

const gatewayPaths = [
  '/mcp',
  '/servers/',
  '/servers/fuzzed/mcp/',
  '/servers/fuzzed/mcp?a=b',
  '/servers/FUZZED/mcp',
  '/servers/other/mcp',
  '/servers/%66uzzed/mcp',
  '/servers/fuzzed//mcp',
  '/servers/fuzzed/../fuzzed/mcp',
  '/servers/fuzzed/mcp#x',
  '/bundles/a/mcp',
  '/.well-known/oauth-protected-resource/servers/fuzzed/mcp',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-authorization-server',
  '/metrics',
  '/api/v1/people',
  '/',
  '//',
  '/%00',
  '*',
]

const adminPaths = [
  '/',
  '/setup',
  '/livez',
  '/readyz',
  '/startupz',
  '/metrics',
  '/api/v1/sign-in',
  '/api/v1/enrolments/choose',
  '/api/v1/enrolments/finish',
  '/api/v1/people',
  '/api/v1/tokens',
  '/api/v1/audit?limit=1e9',
  '/api/v1/audit?after=-1&before=x',
  '/api/v1/upstreams/..%2f..',
  '/api/v1/roles/%ff',
  '/api/v1/',
  '/api/v2/people',
  '/servers/fuzzed/mcp',
  '/../../etc/passwd',
  '/setup/%2e%2e/%2e%2e/package.json',
]

/** One line of the head; bytes beyond Latin-1 and line ends cannot be sent in one. */
function headOf(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.map((line) => line.replaceAll(/[\r\n]/g, ' ')).join('\r\n')}\r\n\r\n`, 'latin1')
}

function withBody(head: readonly string[], body: Buffer): Buffer {
  return Buffer.concat([headOf([...head, `content-length: ${body.length}`]), body])
}

const mcpHeaders = [
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'mcp-param-text',
  'mcp-session-id',
  'last-event-id',
  'accept',
  'content-type',
  'origin',
  'host',
  'authorization',
  'x-forwarded-for',
  'traceparent',
  'content-encoding',
  'cookie',
  'forwarded',
]

function disturb(headers: Map<string, string>, random: Random): void {
  const name = random.pick(mcpHeaders)
  if (random.oneIn(4)) headers.delete(name)
  else headers.set(name, oddLine(random))
  if (random.oneIn(12)) headers.set(`${name} `, 'x')
}

function usualHeaders(known: Knowledge, random: Random): Map<string, string> {
  const headers = new Map([
    ['host', known.host.gateway],
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
  ])
  if (!random.oneIn(8)) headers.set('authorization', `Bearer ${random.oneIn(20) ? oddLine(random) : known.token}`)
  return headers
}

function linesOf(headers: ReadonlyMap<string, string>): string[] {
  return [...headers].map(([name, value]) => `${name}: ${value}`)
}

function gatewayRequest(
  known: Knowledge,
  random: Random,
  family: string,
  of: (headers: Map<string, string>) => object,
): Input {
  const headers = usualHeaders(known, random)
  const message = of(headers)
  // WHY: what is hostile in one place only gets further in than what is hostile everywhere.
  const isHeadHostile = random.below(3) > 0
  const body = isHeadHostile && random.oneIn(2) ? Buffer.from(JSON.stringify(message)) : mutateMessage(message, random)
  if (isHeadHostile) disturb(headers, random)
  const method = isHeadHostile && random.oneIn(4) ? random.pick(methods) : 'POST'
  const path = isHeadHostile && random.oneIn(6) ? random.pick(gatewayPaths) : known.serverPath
  const head = [`${method} ${path} HTTP/1.1`, ...linesOf(headers)]
  const isBare = method === 'GET' || method === 'HEAD'
  const isWhole = [...headers.keys()].every((name) => !name.endsWith(' ')) && method !== 'TRACE' && method !== 'PURGE'
  return { listener: 'gateway', family, bytes: isBare ? headOf(head) : withBody(head, body), isWhole }
}

function legacyInput(known: Knowledge, random: Random): Input {
  return gatewayRequest(known, random, 'legacy message', (headers) => {
    if (!random.oneIn(3)) headers.set('mcp-session-id', known.sessionId)
    if (!random.oneIn(3)) headers.set('mcp-protocol-version', random.pick(['2025-11-25', '2025-06-18', '2025-03-26']))
    return random.pick(legacyMessages)
  })
}

function modernInput(known: Knowledge, random: Random): Input {
  return gatewayRequest(known, random, 'modern message', (headers) => {
    const { message, headers: mirrors } = modern({
      ...random.pick(modernMessages),
      jsonrpc: '2.0',
      id: random.below(1e6),
    })
    for (const [name, value] of Object.entries(mirrors)) headers.set(name, value)
    return message
  })
}

function crossedInput(known: Knowledge, random: Random): Input {
  return gatewayRequest(known, random, 'crossed eras', (headers) => {
    const { message, headers: mirrors } = modern({ ...random.pick(modernMessages), jsonrpc: '2.0', id: 1 })
    const isLegacyBody = random.oneIn(2)
    if (isLegacyBody) for (const [name, value] of Object.entries(mirrors)) headers.set(name, value)
    headers.set('mcp-session-id', known.sessionId)
    return isLegacyBody ? random.pick(legacyMessages) : message
  })
}

function adminInput(known: Knowledge, random: Random): Input {
  const headers = new Map([
    ['host', known.host.admin],
    ['content-type', 'application/json'],
  ])
  if (random.oneIn(2)) headers.set('authorization', `Bearer ${random.oneIn(2) ? oddLine(random) : known.token}`)
  if (random.oneIn(2)) disturb(headers, random)
  const fields = { name: 'ana', password: 'wrong and long enough', code: '123456', token: 'x', label: 'l' }
  const method = random.pick(methods.slice(0, -2))
  const head = [`${method} ${random.pick(adminPaths)} HTTP/1.1`, ...linesOf(headers)]
  const isBare = method === 'GET' || method === 'HEAD'
  const isWhole = [...headers.keys()].every((name) => !name.endsWith(' '))
  return {
    listener: 'admin',
    family: 'admin',
    bytes: isBare ? headOf(head) : withBody(head, mutateMessage(fields, random)),
    isWhole,
  }
}

const frames = [
  'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  'Content-Length: -1\r\n\r\n',
  'Content-Length: +5\r\n\r\nhello',
  'Content-Length: 0x5\r\n\r\nhello',
  'Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n',
  'Transfer-Encoding: chunked\r\n\r\n5;a="\r\n"\r\nhello\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: xchunked\r\n\r\n',
  'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
  ' folded: x\r\n\r\n',
  'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\n\r\n',
  'Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
  'Expect: nonsense\r\n\r\n',
  'X: a\0b\r\n\r\n',
  'X: a\rb\r\n\r\n',
  'Connection: close, keep-alive\r\n\r\n',
  'Trailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: Bearer x\r\n\r\n',
]

function framingInput(known: Knowledge, random: Random): Input {
  const listener = random.oneIn(4) ? 'admin' : 'gateway'
  const start = `${random.pick(['POST', 'GET', 'PRI', 'post', ''])} ${known.serverPath} HTTP/${random.pick(['1.1', '1.0', '2.0', '9.9'])}\r\nHost: ${known.host[listener]}\r\n`
  const bytes = Buffer.from(start + random.pick(frames), 'latin1')
  const at = random.below(bytes.length)
  if (random.oneIn(3)) bytes[at] = random.below(256)
  return { listener, family: 'framing', bytes: random.oneIn(5) ? bytes.subarray(0, at) : bytes, isWhole: false }
}

function noiseInput(_known: Knowledge, random: Random): Input {
  const listener = random.oneIn(2) ? 'admin' : 'gateway'
  return { listener, family: 'noise', bytes: random.bytes(1 + random.below(400)), isWhole: false }
}

const makers = [
  ...Array.from({ length: 8 }, () => legacyInput),
  ...Array.from({ length: 8 }, () => modernInput),
  crossedInput,
  crossedInput,
  adminInput,
  adminInput,
  framingInput,
  noiseInput,
]

/** The next hostile input; the same for the same seed. */
export function makeInput(known: Knowledge, random: Random): Input {
  return random.pick(makers)(known, random)
}
