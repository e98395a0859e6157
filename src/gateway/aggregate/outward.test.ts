import { expect, test } from 'vitest'
import { isObject, isProblem, type Message, readUpstreamMessage } from '#protocol'
import { tellOutward } from './outward.ts'

function told(text: string): string | undefined {
  const message = readUpstreamMessage(text) as Message
  if (isProblem(message)) throw new Error(message.problem)
  const { result } = message.json
  return tellOutward(message, isObject(result) ? result : {}, 'notes')
}

function response(result: string): string {
  return `{"jsonrpc":"2.0","id":1,"result":${result}}`
}

test('an answer without any URI or question is left as it is', () => {
  expect(told(response('{"content":[{"type":"text","text":"file:///a"}],"n":1.00000000000000000001}'))).toBeUndefined()
  expect(told(response('{"content":"none","contents":{},"messages":[1,null],"_meta":{}}'))).toBeUndefined()
})

test('links and embedded resources of a tool say whose they are; every other character is kept', () => {
  const before = '{ "content" : [{"type":"text","text":"x"},{"type":"resource_link","uri":"a:b","name":"n"},'
  const after = '{"type":"resource","resource":{"uri":"ui://board","text":"y"}}] , "big":12345678901234567890 }'
  expect(told(response(before + after))).toBe(
    response((before + after).replace('"a:b"', '"notes+a:b"').replace('ui://board', 'ui://notes/board')),
  )
})

test('contents of a resource, messages of a prompt and the interface of a result say whose they are', () => {
  expect(told(response('{"contents":[{"uri":"a:b"},{"uri":"a:c"}]}'))).toContain('"notes+a:c"')
  const prompt = '{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"a:b"}}}]}'
  expect(told(response(prompt))).toContain('"notes+a:b"')
  expect(told(response('{"_meta":{"ui":{"resourceUri":"ui://board"}}}'))).toContain('"ui://notes/board"')
})

test('a question says who asks; a state is left to the guard that seals it', () => {
  const asked = '{"a":{"method":"elicitation/create","params":{"message":"Sure?","url":"https://x"}},'
  const others = '"b":{"method":"sampling/createMessage","params":{"messages":[]}},"c":7}'
  const text = response(`{"resultType":"input_required","inputRequests":${asked}${others},"requestState":"s"}`)
  expect(told(text)).toBe(text.replace('"Sure?"', '"[notes] Sure?"'))
})
