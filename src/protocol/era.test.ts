import { expect, test } from 'vitest'
import { checkBeforeBody, classifyEra, type Classified, type WireRefusal } from './era.ts'
import { encodeHeaderValue } from './header-value.ts'
import { isProblem, readMessage } from './message.ts'

const post = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

type Given = Record<string, string | undefined>

function classify(json: Record<string, unknown>, headers: Given = {}): Classified | WireRefusal {
  const message = readMessage(JSON.stringify({ jsonrpc: '2.0', ...json }))
  if (isProblem(message)) throw new Error(message.problem)
  const all = { ...post, ...headers }
  return checkBeforeBody('POST', all) ?? classifyEra(all, message)
}

function modern(method: string, params: Record<string, unknown> = {}, headers: Given = {}): Classified | WireRefusal {
  const mirrored = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...headers }
  return classify({ id: 1, method, params: { _meta: envelope, ...params } }, mirrored)
}

const call = { name: 'echo', arguments: {} }

test('without envelope and header a request is legacy 2025-03-26', () => {
  expect(classify({ id: 1, method: 'tools/list' })).toEqual({ era: 'legacy', version: '2025-03-26' })
})

test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])('the header %s is a legacy revision', (version) => {
  expect(classify({ id: 1, method: 'tools/list' }, { 'mcp-protocol-version': version })).toEqual({
    era: 'legacy',
    version,
  })
})

test('an unknown legacy revision is refused with 400, but does not stop a handshake', () => {
  expect(classify({ id: 1, method: 'ping' }, { 'mcp-protocol-version': '1900-01-01' })).toMatchObject({ refuse: 400 })
  expect(classify({ id: 1, method: 'initialize' }, { 'mcp-protocol-version': 'DRAFT' })).toMatchObject({
    era: 'legacy',
  })
})

test('a complete modern request is modern', () => {
  expect(modern('tools/call', call, { 'mcp-name': 'echo' })).toEqual({ era: 'modern', version: '2026-07-28' })
  expect(modern('server/discover')).toMatchObject({ era: 'modern' })
})

test.each([
  ['a missing version header', { 'mcp-protocol-version': undefined, 'mcp-name': 'echo' }],
  ['another version in the header', { 'mcp-protocol-version': '2025-11-25', 'mcp-name': 'echo' }],
  ['a missing method header', { 'mcp-method': undefined, 'mcp-name': 'echo' }],
  ['another method in the header', { 'mcp-method': 'tools/list', 'mcp-name': 'echo' }],
  ['the method in another case', { 'mcp-method': 'Tools/Call', 'mcp-name': 'echo' }],
  ['a missing name', {}],
  ['another name', { 'mcp-name': 'other' }],
  ['a name repeated in two fields', { 'mcp-name': 'echo, echo' }],
  ['a broken sentinel', { 'mcp-name': '=?base64?ZWNobw?=' }],
])('%s is a header mismatch', (_what, headers) => {
  expect(modern('tools/call', call, headers)).toMatchObject({ refuse: 400, code: -32020 })
})

test('a name is compared without the space around it and out of its sentinel', () => {
  expect(modern('tools/call', call, { 'mcp-name': ' \techo ' })).toMatchObject({ era: 'modern' })
  expect(modern('tools/call', { name: 'grüß' }, { 'mcp-name': encodeHeaderValue('grüß') })).toMatchObject({
    era: 'modern',
  })
  expect(modern('tasks/get', { taskId: 't' }, { 'mcp-name': 't' })).toMatchObject({ era: 'modern' })
  expect(modern('resources/read', { uri: 'notes://all' }, { 'mcp-name': 'notes://all' })).toMatchObject({
    era: 'modern',
  })
})

test('a name on a method without one is refused when the body does not hold it', () => {
  expect(modern('tools/list', {}, { 'mcp-name': 'echo' })).toMatchObject({ refuse: 400, code: -32020 })
})

test('an envelope that lacks a key is invalid params', () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
  const withMeta = (meta?: Record<string, unknown>) =>
    classify({ id: 1, method: 'tools/list', params: { _meta: meta } }, headers)
  for (const meta of [undefined, {}, { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }]) {
    expect(withMeta(meta)).toMatchObject({ refuse: 400, code: -32602 })
  }
  expect(withMeta({ ...envelope, 'io.modelcontextprotocol/protocolVersion': 1 })).toMatchObject({
    refuse: 400,
    code: -32602,
  })
})

test('a revision that is not served is named together with those that an envelope can name', () => {
  const meta = { ...envelope, 'io.modelcontextprotocol/protocolVersion': '2030-01-01' }
  const refused = modern('tools/list', { _meta: meta }, { 'mcp-protocol-version': '2030-01-01' })
  expect(refused).toMatchObject({
    refuse: 400,
    code: -32022,
    data: {
      requested: '2030-01-01',
      supported: ['2026-07-28'],
    },
  })
})

test.each(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'])(
  '%s with a modern envelope is an unknown method',
  (method) => {
    expect(modern(method)).toMatchObject({ refuse: 404, code: -32601 })
  },
)

test('a modern header on a handshake or on a response is refused', () => {
  const headers = { 'mcp-protocol-version': '2026-07-28' }
  expect(classify({ id: 1, method: 'initialize' }, headers)).toMatchObject({ refuse: 400, code: -32020 })
  expect(classify({ id: 1, result: {} }, headers)).toMatchObject({ refuse: 400, code: -32600 })
})

test('a legacy request cannot carry mirrored headers that differ from its body', () => {
  const body = { id: 1, method: 'tools/call', params: call }
  expect(classify(body, { 'mcp-name': 'other' })).toMatchObject({ refuse: 400, code: -32020 })
  expect(classify(body, { 'mcp-method': 'tools/list' })).toMatchObject({ refuse: 400, code: -32020 })
  expect(classify(body, { 'mcp-method': 'tools/call', 'mcp-name': 'echo' })).toMatchObject({ era: 'legacy' })
})

test.each([
  [415, { 'content-type': 'text/plain' }],
  [415, { 'content-type': undefined }],
  [415, { 'content-type': '' }],
  [415, { 'content-type': 'application/json; charset=utf-16' }],
  [415, { 'content-type': 'application/json, text/plain' }],
  [415, { 'content-type': 'application/json-rpc' }],
  [415, { 'content-type': 'application/vnd.api+json' }],
  [415, { 'content-type': 'application/json; charset = utf-16' }],
  [415, { 'content-encoding': 'gzip' }],
  [406, { accept: undefined }],
  [406, { accept: '' }],
  [406, { accept: 'application/json' }],
  [406, { accept: 'text/event-stream' }],
  [406, { accept: 'application/json, text/event-stream;q=0' }],
  [406, { accept: 'application/json;q=0.000, */*' }],
  [406, { accept: 'text/*;q=0, */*' }],
  [406, { accept: 'application/json; q=no, text/event-stream' }],
  [406, { accept: 'application/jsonx, text/event-stream' }],
])('a POST is refused with %i for %o', (status, headers) => {
  expect(classify({ id: 1, method: 'ping' }, headers)).toMatchObject({ refuse: status })
})

test.each([
  { 'content-type': 'Application/JSON; charset="UTF-8"' },
  { 'content-type': 'application/json;' },
  { 'content-encoding': 'Identity' },
  { accept: '*/*' },
  { accept: '*/*;q=0, application/json, text/event-stream;q=0.1' },
  { accept: 'text/event-stream ,Application/JSON;profile=x' },
  { accept: 'application/*;q=0.5, text/event-stream' },
])('a POST with %o is served', (headers) => {
  expect(classify({ id: 1, method: 'ping' }, headers)).toMatchObject({ era: 'legacy' })
})

function bodiless(httpMethod: string, headers: Given): Classified | WireRefusal {
  return checkBeforeBody(httpMethod, headers) ?? classifyEra(headers, undefined)
}

test('GET and DELETE are legacy alone, any other method is not served', () => {
  const accept = 'text/event-stream'
  expect(bodiless('GET', { accept })).toMatchObject({ era: 'legacy' })
  expect(bodiless('DELETE', {})).toMatchObject({ era: 'legacy' })
  expect(bodiless('GET', {})).toMatchObject({ refuse: 406 })
  for (const httpMethod of ['GET', 'DELETE']) {
    const headers = { accept, 'mcp-protocol-version': '2026-07-28' }
    expect(bodiless(httpMethod, headers)).toMatchObject({ refuse: 405, allow: 'POST' })
    for (const mirror of ['mcp-method', 'mcp-name']) {
      expect(bodiless(httpMethod, { accept, [mirror]: 'x' }), mirror).toMatchObject({ refuse: 400, code: -32020 })
    }
  }
  expect(bodiless('PUT', {})).toMatchObject({ refuse: 405, allow: 'GET, POST, DELETE' })
})

test.each([
  ['\u00a02026-07-28', 400],
  ['2026-07-28\u000b', 400],
])('only the space that HTTP knows is trimmed: %j', (version, refuse) => {
  expect(modern('tools/list', {}, { 'mcp-protocol-version': version })).toMatchObject({ refuse, code: -32020 })
})
