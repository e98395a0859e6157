import { expect, test } from 'vitest'
import { isProblem, maxIdLength, readMessage, type Message } from './message.ts'
import { maxJsonDepth } from './json/strict-json.ts'

function read(text: string): Message {
  const message = readMessage(Buffer.from(text))
  if (isProblem(message)) throw new Error(message.problem)
  return message
}

function problem(body: string | Buffer): { problem: string; code: number } {
  const message = readMessage(Buffer.from(body))
  if (!isProblem(message)) throw new Error('it was read')
  return { problem: message.problem, code: message.code }
}

test('a call has its kind, id, method, params and the name it is about', () => {
  const text = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"a":1}}}'
  expect(read(text)).toMatchObject({ kind: 'request', id: 7, method: 'tools/call', name: 'echo', text })
})

test.each(['resources/read', 'resources/subscribe', 'resources/unsubscribe'])('%s is about its uri', (method) => {
  const message = read(JSON.stringify({ jsonrpc: '2.0', id: 'a', method, params: { uri: 'notes://all', name: 'x' } }))
  expect(message.name).toBe('notes://all')
})

test('an id of the longest length is read, one unit more is refused', () => {
  const withId = (length: number) => JSON.stringify({ jsonrpc: '2.0', id: 'i'.repeat(length), method: 'ping' })
  expect(read(withId(maxIdLength)).id).toHaveLength(1_024)
  expect(readMessage(withId(maxIdLength + 1))).toMatchObject({ code: -32600 })
})

test('a message without id is a notification, one without method a response', () => {
  expect(read('{"jsonrpc":"2.0","method":"notifications/initialized"}').kind).toBe('notification')
  expect(read('{"jsonrpc":"2.0","id":1,"result":{}}')).toMatchObject({ kind: 'response', id: 1 })
  expect(read('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}').id).toBeUndefined()
})

test('bytes that are not JSON or not UTF-8 are a parse error', () => {
  expect(problem('{').code).toBe(-32700)
  expect(problem('').code).toBe(-32700)
  expect(problem('\ufeff{}').code).toBe(-32700)
  expect(problem(Buffer.from([0x22, 0xff, 0x22])).code).toBe(-32700)
})

test.each([
  ['an array', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]'],
  ['a string', '"x"'],
  ['null', 'null'],
  ['a second reference', '{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{},"Ref":{}}}'],
  ['a second name of a reference', '{"jsonrpc":"2.0","id":1,"method":"a","params":{"ref":{"uri":"a","URI":"b"}}}'],
  ['a second filter', '{"jsonrpc":"2.0","id":1,"method":"a","params":{"notifications":{},"Notifications":{}}}'],
  ['a second request id', '{"jsonrpc":"2.0","method":"a","params":{"requestId":1,"requestid":2}}'],
  ['no version', '{"id":1,"method":"ping"}'],
  ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
  ['a null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
  ['a fractional id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'],
  ['an id beyond exact integers', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}'],
  ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
  ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":1}'],
  ['params in a list', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
  ['a call that is also an answer', '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}'],
  ['an answer with two ends', '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'],
  ['an answer with none', '{"jsonrpc":"2.0","id":1}'],
  ['a result without id', '{"jsonrpc":"2.0","result":{}}'],
])('%s is an invalid request', (_what, text) => {
  expect(problem(text).code).toBe(-32600)
})

test.each([
  '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","name":"evil"}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","n\\u0061me":"evil"}}',
  '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
])('a key that appears twice is refused, also when it is escaped: %s', (text) => {
  expect(problem(text).problem).toContain('twice')
})

test.each([
  '{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","NAME":"evil"}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","param\\u017f":{"name":"evil"}}',
])('a member that only case tells from a known one is refused: %s', (text) => {
  expect(problem(text).problem).toContain('spelling')
})

test('members that are unknown, spaced or escaped in unusual ways are read', () => {
  expect(
    read('{ "jsonrpc" : "2.0",\n "id" : 1, "method":"x\\/y", "future": [1e3, {"a":"a"}, {"a":"b"}] }').method,
  ).toBe('x/y')
})

test('nesting is read up to the limit and refused one level deeper', () => {
  // The message and its params are two levels.
  const nested = (levels: number) =>
    `{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`
  expect(read(nested(maxJsonDepth - 2)).method).toBe('x')
  expect(problem(nested(maxJsonDepth - 1)).problem).toContain('deeper')
  expect(problem(nested(100_000)).problem).toContain('deeper')
})
