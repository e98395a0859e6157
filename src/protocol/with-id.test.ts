import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isProblem, readMessage, type Message } from './message.ts'
import { withId, withIdText, withParams } from './with-id.ts'

function read(text: string): Message {
  const message = readMessage(text)
  if (isProblem(message)) throw new Error(message.problem)
  return message
}

test('only the id changes: spacing, escapes, number forms and order stay as they were sent', () => {
  const text =
    '{ "params": {"id": 1, "n": 1234567890, "f": 1.0, "s": "\\u00e4"}, "id" : 1 , "method":"m","jsonrpc":"2.0"}'
  expect(withIdText(read(text), 'g-7')).toBe(text.replace('"id" : 1', '"id" : "g-7"'))
})

test('an id inside the params or inside a text is not taken for the outermost one', () => {
  const text = '{"method":"m","params":{"a":"x\\",\\"id\\":7","id":7},"jsonrpc":"2.0","id":7}'
  expect(JSON.parse(withIdText(read(text), 8))).toEqual({ ...JSON.parse(text), id: 8 })
  const first = '{"params":{"id":7},"jsonrpc":"2.0","id":7,"method":"m"}'
  expect(withIdText(read(first), 8)).toBe('{"params":{"id":7},"jsonrpc":"2.0","id":8,"method":"m"}')
})

test('a message without id is unchanged', () => {
  const body = Buffer.from('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  expect(withId(read(body.toString()), body, 3)).toBe(body)
})

test('whatever the message holds, in whatever layout, the rest of it survives', () => {
  const id = fc.oneof(fc.string(), fc.maxSafeInteger())
  const layout = fc.constantFrom(undefined, 1, '\t')
  const order = fc.shuffledSubarray(['jsonrpc', 'id', 'method', 'params'], { minLength: 4 })
  fc.assert(
    fc.property(
      id,
      id,
      fc.dictionary(fc.string(), fc.jsonValue()),
      layout,
      order,
      (oldId, newId, extra, indent, keys) => {
        const whole: Record<string, unknown> = { jsonrpc: '2.0', id: oldId, method: 'm', params: { extra } }
        const text = JSON.stringify(Object.fromEntries(keys.map((key) => [key, whole[key]])), undefined, indent)
        const message = readMessage(text)
        fc.pre(!isProblem(message))
        if (isProblem(message)) return
        const sent = withId(message, Buffer.from(text), newId).toString()
        expect(JSON.parse(sent)).toEqual({ ...JSON.parse(text), id: newId })
        expect(withIdText(read(sent), oldId)).toBe(text)
      },
    ),
  )
})

test('new params leave every other member', () => {
  const message = read('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1},"x":1}')
  expect(JSON.parse(withParams(message, { requestId: 'g' }))).toEqual({ ...message.json, params: { requestId: 'g' } })
})
