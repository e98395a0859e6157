/**
 * The ladder of the protocol's reference, rung by rung, on every HTTP method and in both eras: what is wrong, what the
 * caller hears, and that the upstream saw nothing. Where Castellan stands on a rung at another place, it says so:
 *
 * - A body over the limit is refused where the body is read, after the caller is known and its headers are good, so that
 *   strangers cannot make anybody read. The limit on headers stays first.
 * - `Mcp-Param-*` is compared after the decision on the tool, so that the answer does not tell a tool's schema to those
 *   who may not see it.
 * - An address has its rate before anything else is asked, a person right after it is known.
 * - Equal ids in flight are not refused: each request gets an id of our own.
 */
import { expect, test } from 'vitest'
import { forAllTests } from '../ending.ts'
import { expectRefused, type Expected } from './expect-refused.ts'
import type { Era, Knock } from './knock.ts'
import {
  goodBodiless,
  goodCall,
  goodPost,
  openDoors,
  respelled,
  withHeaders,
  withMembers,
  withParams,
} from './knock.ts'

const doors = forAllTests(() => openDoors())

type Breaking = (knock: Knock) => Knock

const eras: readonly Era[] = ['legacy', 'modern']

/** One test for each era, on a good call that is broken. */
function onPost(rung: string, what: string, breaking: Breaking, expected: Expected, which = eras): void {
  test.each(which)(`${rung}: ${what} (%s POST)`, async (era) => {
    await expectRefused(doors(), breaking(goodCall(era, doors().tokens.ben)), expected)
  })
}

/** One test for each method without a body. */
function onBodiless(
  rung: string,
  what: string,
  breaking: Breaking,
  expected: Expected,
  methods = ['GET', 'DELETE'],
): void {
  test.each(methods)(`${rung}: ${what} (%s)`, async (httpMethod) => {
    await expectRefused(doors(), breaking(goodBodiless(httpMethod, doors().tokens.ben)), expected)
  })
}

test.each(eras)('0: a good call passes (%s POST)', async (era) => {
  const before = doors().arrived()
  const heard = await doors().knock(goodCall(era, doors().tokens.ben))
  expect(heard).toMatchObject({ status: 200, json: { id: 7, result: {} } })
  expect(doors().arrived()).toBe(before + 1)
})

test.each(['GET', 'DELETE'])('0: a good request without a body passes (%s)', async (httpMethod) => {
  expect((await doors().knock(goodBodiless(httpMethod, doors().tokens.ben))).status).toBe(200)
})

test.each(['POST', 'GET', 'DELETE'])(
  '1: headers over the limit are 431, unread and unrecorded (%s)',
  async (httpMethod) => {
    const before = doors().arrived()
    const knock =
      httpMethod === 'POST' ? goodCall('modern', doors().tokens.ben) : goodBodiless(httpMethod, doors().tokens.ben)
    expect((await doors().knock(withHeaders(knock, { 'x-padding': 'x'.repeat(17_000) }))).status).toBe(431)
    expect(doors().arrived()).toBe(before)
  },
)

const large = 'x'.repeat(4 * 1024 * 1024)
const tooLarge = { status: 413, code: 413, refusal: 'gateway.body-too-large' }
onPost('1', 'a declared length over the limit', (knock) => respelled(knock, (text) => text + large), tooLarge)
onPost(
  '1',
  'a body without a length that grows over the limit',
  (knock) =>
    withHeaders(
      respelled(knock, (text) => text + large),
      { 'transfer-encoding': 'chunked' },
    ),
  tooLarge,
)

const foreign = [
  ['a foreign Host', { host: 'castellan.example' }, 'gateway.host-not-allowed'],
  ['a foreign Origin', { origin: 'https://castellan.example' }, 'gateway.origin-not-allowed'],
  ['the Origin `null`', { origin: 'null' }, 'gateway.origin-not-allowed'],
] as const
for (const [what, headers, refusal] of foreign) {
  const expected = { status: 403, code: 403, refusal }
  onPost('2', what, (knock) => withHeaders(knock, headers), expected)
  onBodiless('2', what, (knock) => withHeaders(knock, headers), expected)
}

const nowhere = { status: 404, code: 404, refusal: 'gateway.path-unknown' }
for (const path of [
  '/',
  '/servers/books',
  '/servers/BOOKS/mcp',
  '/servers/books/mcp/x',
  '/mcp/x',
  '/bundles/mcp',
  '/.well-known/other',
]) {
  onPost('3', `nothing is served at ${path}`, (knock) => ({ ...knock, path }), nowhere)
  onBodiless('3', `nothing is served at ${path}`, (knock) => ({ ...knock, path }), nowhere)
}

test('3: the metadata of a resource is served before anybody is known', async () => {
  const path = '/.well-known/oauth-protected-resource/servers/books/mcp'
  const heard = await doors().knock(withHeaders({ ...goodBodiless('GET', ''), path }, { authorization: undefined }))
  expect(heard.status).toBe(200)
})

const metadata =
  /^Bearer .*resource_metadata="http:\/\/localhost:\d+\/\.well-known\/oauth-protected-resource\/servers\/books\/mcp", scope="mcp"$/
const strangers = [
  ['no token', undefined, 'gateway.token-missing'],
  ['a forged token', `Bearer cst_${'x'.repeat(43)}`, 'identity.token-invalid'],
  ['another scheme', 'Basic YmVuOmJlbg==', 'gateway.token-missing'],
] as const
for (const [what, authorization, refusal] of strangers) {
  const expected = { status: 401, code: 401, headers: { 'www-authenticate': metadata }, refusal }
  onPost('4', what, (knock) => withHeaders(knock, { authorization }), expected)
  const methods = ['GET', 'DELETE', 'OPTIONS', 'HEAD', 'PUT', 'PATCH']
  onBodiless('4', what, (knock) => withHeaders(knock, { authorization }), expected, methods)
}

const otherMethod = { status: 405, code: -32600, headers: { allow: 'GET, POST, DELETE' } }
onBodiless('5', 'a method that no era has', (knock) => knock, otherMethod, ['OPTIONS', 'HEAD', 'PUT', 'PATCH'])
onBodiless(
  '5',
  'a method that the modern era has not',
  (knock) => withHeaders(knock, { 'mcp-protocol-version': '2026-07-28' }),
  {
    status: 405,
    code: -32600,
    headers: { allow: 'POST' },
  },
)

for (const [what, headers] of [
  ['another content type', { 'content-type': 'text/plain' }],
  ['no content type', { 'content-type': undefined }],
  ['another character set', { 'content-type': 'application/json; charset=utf-16' }],
  ['a compressed body', { 'content-encoding': 'gzip' }],
] as const) {
  onPost('6', what, (knock) => withHeaders(knock, headers), { status: 415, code: -32600 })
}
for (const accept of [
  undefined,
  'application/json',
  'text/event-stream',
  'text/html',
  'application/json, text/event-stream;q=0',
]) {
  onPost('6', `Accept: ${accept}`, (knock) => withHeaders(knock, { accept }), { status: 406, code: -32600 })
}
onBodiless(
  '6',
  'Accept: application/json',
  (knock) => withHeaders(knock, { accept: 'application/json' }),
  { status: 406, code: -32600 },
  ['GET'],
)

for (const [what, change] of [
  ['half a message', (text: string) => text.slice(0, -1)],
  ['an empty body', () => ''],
  ['a message and more', (text: string) => `${text}x`],
  [
    'bytes that are no UTF-8',
    (text: string) => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xc0, 0xaf, 0x7d])]),
  ],
  ['a byte order mark', (text: string) => `\ufeff${text}`],
] as const) {
  onPost('7', what, (knock) => respelled(knock, change), { status: 400, code: -32700 })
}
const deep = '{"a":'.repeat(64) + '1' + '}'.repeat(64)
const batched = (text: string): string => `[${text}]`
onPost('7', 'a batch', (knock) => respelled(knock, batched), { status: 400, code: -32600 }, ['modern'])
for (const version of ['2024-11-05', '2025-06-18', '2025-11-25']) {
  const ofRevision = (knock: Knock): Knock =>
    withHeaders(respelled(knock, batched), { 'mcp-protocol-version': version })
  onPost('7', `a batch in ${version}`, ofRevision, { status: 400, code: -32600 }, ['legacy'])
}
for (const [what, change] of [
  ['an empty batch', () => '[]'],
  ['a text', () => '"tools/call"'],
  ['a key twice', (text: string) => text.replace('"method":', '"method":"tools/list","m\\u0065thod":')],
  ['a key in other letters', (text: string) => text.replace('"method":', '"METHOD":"tools/list","method":')],
  ['nesting beyond the limit', (text: string) => text.replace('"hello"', deep)],
] as const) {
  onPost('7', what, (knock) => respelled(knock, change), { status: 400, code: -32600 })
}

for (const [what, members, id] of [
  ['another version of JSON-RPC', { jsonrpc: '1.0' }, 7],
  ['no version of JSON-RPC', { jsonrpc: undefined }, 7],
  ['params that are a list', { params: [] }, 7],
  ['a method that is no text', { method: 1 }, 7],
  ['the id null', { id: null }, undefined],
  ['an id that is no integer', { id: 1.5 }, undefined],
  ['an id that is an object', { id: {} }, undefined],
  ['a call that is a response too', { result: {} }, undefined],
] as const) {
  onPost('8', what, (knock) => withMembers(knock, members), { status: 400, code: -32600, id })
}
onPost(
  '8',
  'an id that is written in another way',
  (knock) => respelled(knock, (text) => text.replace('"id":7', '"id":7E0')),
  {
    status: 400,
    code: -32600,
  },
)
onPost(
  '8',
  'a posted response',
  () =>
    withHeaders(goodPost('legacy', doors().tokens.ben, { jsonrpc: '2.0', id: 7, result: {} }), {
      'mcp-protocol-version': '2026-07-28',
    }),
  { status: 400, code: -32600 },
  ['modern'],
)

const capabilities = 'io.modelcontextprotocol/clientCapabilities'
const protocolVersion = 'io.modelcontextprotocol/protocolVersion'
for (const [what, _meta] of [
  ['no envelope', undefined],
  ['an envelope without a version', { [capabilities]: {} }],
  ['an envelope without capabilities', { [protocolVersion]: '2026-07-28' }],
  ['a version that is no text', { [protocolVersion]: 20260728, [capabilities]: {} }],
  ['an envelope that is a list', []],
] as const) {
  onPost('9', what, (knock) => withParams(knock, { _meta }), { status: 400, code: -32602, id: 7 }, ['modern'])
}

const mismatch = { status: 400, code: -32020, id: 7 }
for (const [what, headers] of [
  ['no version', { 'mcp-protocol-version': undefined }],
  ['another version', { 'mcp-protocol-version': '2025-11-25' }],
  ['no method', { 'mcp-method': undefined }],
  ['no name', { 'mcp-name': undefined }],
] as const) {
  onPost('10', `${what} in the headers`, (knock) => withHeaders(knock, headers), mismatch, ['modern'])
}
for (const [what, headers] of [
  ['another method', { 'mcp-method': 'tools/list' }],
  ['the method in other letters', { 'mcp-method': 'Tools/call' }],
  ['another name', { 'mcp-name': 'secret_tool' }],
  ['the name in other letters', { 'mcp-name': 'ECHO' }],
  ['another name in base64', { 'mcp-name': '=?base64?c2VjcmV0X3Rvb2w=?=' }],
  ['a name in base64 that is none', { 'mcp-name': '=?base64?ZWNobw?=' }],
] as const) {
  onPost('10', `${what} in the headers`, (knock) => withHeaders(knock, headers), mismatch)
}
onBodiless(
  '10',
  'a method in the headers that no body can have',
  (knock) => withHeaders(knock, { 'mcp-method': 'tools/call' }),
  {
    status: 400,
    code: -32020,
  },
)

test.each(['2030-01-01', '2026-07-29', '1900-01-01', '2025-11-25'])(
  '11: revision %s in the envelope is not served',
  async (version) => {
    const good = goodCall('modern', doors().tokens.ben)
    const _meta = { [protocolVersion]: version, [capabilities]: {} }
    const knock = withHeaders(withParams(good, { _meta }), { 'mcp-protocol-version': version })
    const { json } = await expectRefused(doors(), knock, { status: 400, code: -32022, id: 7 })
    expect(json.error?.data).toMatchObject({ requested: version, supported: ['2026-07-28'] })
  },
)

for (const [what, sent, param] of [
  ['is missing', { region: 'eu' }, undefined],
  ['differs', { region: 'eu' }, 'us'],
  ['mirrors nothing', {}, 'us'],
  ['is no base64', { region: 'eu' }, '=?base64?ZXU?='],
] as const) {
  const which = param === undefined ? (['modern'] as const) : eras
  test.each(which)(`12: the header of an argument ${what} (%s POST)`, async (era) => {
    const good = withParams(goodCall(era, doors().tokens.ben, 'regional'), { arguments: sent })
    await expectRefused(doors(), withHeaders(good, { 'mcp-param-region': param }), mismatch)
  })
}

for (const [what, session] of [
  ['a guessed session', 'a-session'],
  ['an empty session', ''],
] as const) {
  const expected = { status: 404, code: -32600, refusal: 'gateway.session-unknown' }
  onPost('13', what, (knock) => withHeaders(knock, { 'mcp-session-id': session }), { ...expected, id: 7 }, ['legacy'])
  onBodiless('13', what, (knock) => withHeaders(knock, { 'mcp-session-id': session }), expected)
}
for (const version of ['1900-01-01', '2025-06-19', 'latest', '2025-11-25, 2025-11-25']) {
  const unknown = { status: 400, code: -32600 }
  onPost(
    '13',
    `revision ${version} in the header`,
    (knock) => withHeaders(knock, { 'mcp-protocol-version': version }),
    { ...unknown, id: 7 },
    ['legacy'],
  )
  onBodiless(
    '13',
    `revision ${version} in the header`,
    (knock) => withHeaders(knock, { 'mcp-protocol-version': version }),
    unknown,
  )
}
onBodiless('13', 'a guessed position in a stream', (knock) => withHeaders(knock, { 'last-event-id': '7' }), {
  status: 400,
  code: -32600,
  refusal: 'gateway.event-unknown',
})
test('13: the modern era knows no session and no position, and passes none on', async () => {
  const headers = { 'mcp-session-id': 'a-session', 'last-event-id': '7' }
  const heard = await doors().knock(withHeaders(goodCall('modern', doors().tokens.ben), headers))
  expect(heard.status).toBe(200)
  expect(heard.headers['mcp-session-id']).toBeUndefined()
  expect(doors().world.books.arrived.at(-1)?.headers).not.toMatchObject({ 'mcp-session-id': expect.anything() })
})
