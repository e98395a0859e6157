import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHttpReader, fieldOf, type HttpMessage } from './http-reader.ts'

const whole = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{"a"}'
const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{"\r\n3\r\na"}\r\n0\r\n\r\n'
const empty = 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'
const stream = whole + chunked + empty + whole

function read(pieces: readonly string[]): HttpMessage[] {
  const messages: HttpMessage[] = []
  const take = createHttpReader((message) => messages.push(message))
  for (const piece of pieces) take(piece)
  return messages
}

test('messages are read one after the other, with a length, in chunks, or without a body', () => {
  expect(read([stream]).map(({ body }) => body)).toEqual(['{"a"}', '{"a"}', '', '{"a"}'])
})

test('it does not matter where a stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: stream.length })), (cuts) => {
      const places = [0, ...cuts.toSorted((one, other) => one - other), stream.length]
      const pieces = places.slice(1).map((end, index) => stream.slice(places[index], end))
      expect(read(pieces)).toEqual(read([stream]))
    }),
  )
})

test('a field is found in any case, and nothing else is', () => {
  const { head } = read([whole])[0] ?? { head: '' }
  expect(fieldOf(head, 'content-type')).toBe('application/json')
  expect(fieldOf(head, 'content-length')).toBe('5')
  expect(fieldOf(head, 'type')).toBeUndefined()
})
