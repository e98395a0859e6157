import { isProblem, type Message, readMessage } from '#protocol'
import { expect, test } from 'vitest'
import { ownAnswer, withoutOwnAnswer } from './own-answer.ts'

function call(more: string): Message {
  const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"n": 1.50}${more}}}`
  const message = readMessage(text)
  if (isProblem(message)) throw new Error(message.problem)
  return message
}

const own = (answer: string) => call(`,"inputResponses":{"castellan-step-up":${answer}}`)

test('only `accept` says that the person went there', () => {
  expect(ownAnswer(own('{"action":"accept"}'))).toBe('accepted')
  for (const other of ['{"action":"decline"}', '{"action":"cancel"}', '{}', 'null', '"accept"', '[]']) {
    expect(ownAnswer(own(other)), other).toBe('declined')
  }
  for (const none of [
    '',
    ',"inputResponses":{}',
    ',"inputResponses":[]',
    ',"inputResponses":{"other":{"action":"accept"}}',
  ]) {
    expect(ownAnswer(call(none)), none).toBeUndefined()
  }
})

test('what Castellan was answered does not go on, and nothing else changes', () => {
  const bare = withoutOwnAnswer(own('{"action":"accept"}'))
  expect(bare.text).toBe('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"n": 1.50}}}')
  expect(bare.params).toEqual({ name: 'a', arguments: { n: 1.5 } })
  expect(bare.json['params']).toEqual(bare.params)
  const mixed = withoutOwnAnswer(
    call(',"inputResponses":{"x": {"n": 2.50},"castellan-step-up":{"action":"accept"}},"requestState":"s"'),
  )
  expect(mixed.text).toContain('"inputResponses":{"x": {"n": 2.50}},"requestState":"s"')
  expect(mixed.params?.['inputResponses']).toEqual({ x: { n: 2.5 } })
  const other = call(',"inputResponses":{"x":{}}')
  expect(withoutOwnAnswer(other)).toBe(other)
})
