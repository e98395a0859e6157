import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isProblem, type Message, readMessage } from '../message.ts'
import { mirroredHeaders, mirrorsOf } from './mirrors.ts'
import { modernRequest } from './modern-request.ts'

function read(text: string): Message {
  const message = readMessage(text)
  if (isProblem(message)) throw new Error(message.problem)
  return message
}

const envelope = { clientCapabilities: '{"roots":{}}' }
const own =
  '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}}'

test.each([
  [
    '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    `{"params":{"_meta":{${own}}},"jsonrpc":"2.0","id":"n","method":"ping"}`,
  ],
  [
    '{"id":1,"jsonrpc":"2.0","method":"tools/list","params":{}}',
    `{"id":"n","jsonrpc":"2.0","method":"tools/list","params":{"_meta":{${own}}}}`,
  ],
  [
    '{"id":1,"jsonrpc":"2.0","method":"tools/list","params":{"cursor":"","_meta":{}}}',
    `{"id":"n","jsonrpc":"2.0","method":"tools/list","params":{"cursor":"","_meta":{${own}}}}`,
  ],
  [
    '{"id":1,"jsonrpc":"2.0","method":"tools/list","params":{"_meta":{"progressToken":1,"traceparent":"00-a"}}}',
    `{"id":"n","jsonrpc":"2.0","method":"tools/list","params":{"_meta":{${own},"progressToken":1,"traceparent":"00-a"}}}`,
  ],
  [
    '{"id":1,"jsonrpc":"2.0","method":"tools/list","params":{"_meta":null}}',
    `{"id":"n","jsonrpc":"2.0","method":"tools/list","params":{"_meta":{${own}}}}`,
  ],
])('%s gets the envelope', (legacy, modern) => {
  expect(modernRequest(read(legacy), envelope, 'n')).toBe(modern)
})

test('whatever else the params hold, a reader finds it again', () => {
  const names = fc.string().filter((name) => name !== '__proto__')
  const objects = fc.dictionary(names, fc.jsonValue(), { maxKeys: 5 })
  fc.assert(
    fc.property(objects, objects, fc.nat(2), (given, meta, indent) => {
      const params = { arguments: given, _meta: meta }
      const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, null, indent)
      const message = readMessage(text)
      fc.pre(!isProblem(message))
      const modern = JSON.parse(modernRequest(message as Message, envelope, 'n')) as { params: typeof params }
      expect(modern.params.arguments).toEqual(JSON.parse(JSON.stringify(given)))
      expect(modern.params._meta).toEqual({
        ...(JSON.parse(JSON.stringify(meta)) as object),
        ...(JSON.parse(`{${own}}`) as object),
      })
    }),
  )
})

test('what a client writes in place of the envelope is not passed', () => {
  const forged = {
    'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
    'io.modelcontextprotocol/logLevel': 'debug',
  }
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: forged } })
  expect(
    JSON.parse(modernRequest(read(text), { ...envelope, logLevel: 'error', clientInfo: '{"name":"$&"}' }, 'n')),
  ).toEqual({
    jsonrpc: '2.0',
    id: 'n',
    method: 'tools/list',
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': { roots: {} },
        'io.modelcontextprotocol/clientInfo': { name: '$&' },
        'io.modelcontextprotocol/logLevel': 'error',
      },
    },
  })
})

test('arguments are repeated in headers as their schema says, encoded where a header cannot hold them', () => {
  const mirrors = mirrorsOf({
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      count: { type: 'integer', 'x-mcp-header': 'Count' },
      cost: { type: 'number', 'x-mcp-header': 'Cost' },
      bad: { type: 'string', 'x-mcp-header': 'a b' },
      deep: { properties: { isDry: { type: 'boolean', 'x-mcp-header': 'Dry' } } },
      list: { items: { properties: { x: { type: 'string', 'x-mcp-header': 'Item' } } } },
    },
  })
  const headersOf = (given: unknown) =>
    mirroredHeaders(
      read(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'é', arguments: given } })),
      mirrors,
    )
  const always = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': '=?base64?w6k=?=',
  }
  const all = { region: ' a', count: -3, cost: 1.5, bad: 'x', deep: { isDry: false }, list: [{ x: 'y' }] }
  expect(headersOf(all)).toEqual({
    ...always,
    'mcp-param-region': '=?base64?IGE=?=',
    'mcp-param-count': '-3',
    'mcp-param-dry': 'false',
  })
  expect(headersOf({ region: null, count: 'x'.repeat(0), deep: 1 })).toEqual({
    ...always,
    'mcp-param-count': '=?base64??=',
  })
  expect(headersOf({ region: {}, count: 1.5 })).toEqual(always)
  expect(headersOf(undefined)).toEqual(always)
})

test('only what a name is asked for of is named in a header', () => {
  const headersOf = (method: string, params: unknown) =>
    mirroredHeaders(read(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })))['mcp-name']
  expect(headersOf('resources/read', { uri: 'test://a' })).toBe('test://a')
  expect(headersOf('prompts/get', { name: 'p' })).toBe('p')
  expect(headersOf('completion/complete', { ref: { type: 'ref/prompt', name: 'p' } })).toBeUndefined()
})
