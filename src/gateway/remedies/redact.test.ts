import fc from 'fast-check'
import { isProblem, type Message, readJson, readUpstreamMessage } from '#protocol'
import { expect, test } from 'vitest'
import { canRedact, redactResult, screenBeside } from './redact.ts'

function read(text: string): Message {
  const message = readUpstreamMessage(text)
  if (isProblem(message)) throw new Error(message.problem)
  return message
}

function redacted(result: string, fields = ['email', 'iban']): string {
  const message = read(`{"jsonrpc":"2.0","id":1,"result":${result}}`)
  const text = redactResult(message, message.json['result'] as Record<string, unknown>, fields)
  return text.slice('{"jsonrpc":"2.0","id":1,"result":'.length, -1)
}

test('the values of named members leave structured content at any depth, and nothing else of it changes', () => {
  const content =
    '{"structuredContent": {"a":1.00, "email" : "x@y", "b":[{"iban":{"n":7},"big":12345678901234567890}], "em\\u0061il2":3}}'
  expect(redacted(content)).toBe(
    '{"structuredContent": {"a":1.00, "email" : "[redacted]", "b":[{"iban":null,"big":12345678901234567890}], "em\\u0061il2":3}}',
  )
  expect(redacted('{"structuredContent":{"e\\u006dail":"x@y"}}')).toBe(
    '{"structuredContent":{"e\\u006dail":"[redacted]"}}',
  )
  expect(redacted('{"_meta":{"email":["x"]},"email":{"a":1}}')).toBe('{"_meta":{"email":null},"email":null}')
})

test('JSON in texts is redacted, any other text is withheld, and so is what shows and does not say', () => {
  const text = (written: string) => `{"content":[{"type":"text","text":${JSON.stringify(written)}}]}`
  const inside = (of: string) => (JSON.parse(redacted(text(of))) as { content: { text: string }[] }).content[0]?.text
  expect(inside('{"email":"x@y","n": 1.0}')).toBe('{"email":"[redacted]","n": 1.0}')
  expect(inside(' [ {"iban":1} , 12345678901234567890 ] ')).toBe(' [ {"iban":null} , 12345678901234567890 ] ')
  for (const other of ['x@y', '"x@y"', '12', '{"email":"x@y"', '{"a":1}{"email":1}', 'null', '']) {
    expect(inside(other), other).toBe('[withheld: only JSON can be redacted]')
  }
  const shown =
    '{"content":[{"type":"image","data":"AAAA","mimeType":"image/png"},"odd",{"type":"resource","resource":{"uri":"a","blob":"AAAA"}}]}'
  expect(redacted(shown)).not.toContain('AAAA')
  expect(redacted(shown)).not.toContain('odd')
  expect(redacted('{"contents":[{"uri":"a","text":"x@y"},{"uri":"b","text":"{\\"email\\":1}"}]}')).not.toMatch(
    /x@y|email\\":1/,
  )
  expect(redacted('{"messages":[{"role":"user","content":{"type":"text","text":"x@y"}}]}')).not.toContain('x@y')
  for (const odd of [
    '{"content":[{"type":"text","text":{"a":"x@y"}}]}',
    '{"content":[["x@y"]]}',
    '{"messages":[{"role":"user","email":"x@y"},"x@y"]}',
    '{"messages":"x@y"}',
    '{"structuredContent":"x@y"}',
    '{"content":"x@y"}',
  ]) {
    expect(redacted(odd), odd).not.toContain('x@y')
  }
  expect(redacted('{"messages":[{"role":"user","content":[{"type":"text","text":"x@y"}]}]}')).not.toContain('x@y')
})

test('an answer without the members, and without texts, is the same to the letter', () => {
  const content =
    '{ "content" : [ {"type":"text", "text":"{\\"a\\": 1.50}"} ], "isError": false, "structuredContent": {"a": 1.50} }'
  expect(redacted(content)).toBe(content)
})

test('no value of a named member survives, wherever it is', () => {
  const secret = 'canary'
  const leaf = fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.string().filter((text) => !text.includes(secret)),
  )
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'email', 'c'), tie('node'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).node
  const plant = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plant)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, of]) => [name, name === 'email' ? [secret, plant(of)] : plant(of)]),
    )
  }
  const without = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(without)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, name === 'email' ? null : without(of)]))
  }
  fc.assert(
    fc.property(tree, (given) => {
      const planted = plant(given)
      const written = JSON.stringify({
        structuredContent: { planted },
        content: [{ type: 'text', text: JSON.stringify([planted]) }],
      })
      const answer = redacted(written)
      expect(answer).not.toContain(secret)
      const { value } = readJson(answer) as { value: { structuredContent: unknown; content: { text: string }[] } }
      expect(value.structuredContent).toEqual({ planted: without(given) })
      expect(JSON.parse(value.content[0]?.text ?? '')).toEqual([without(given)])
    }),
  )
})

test('what is no whole answer cannot be redacted', () => {
  for (const other of [
    '{"resultType":"input_required","inputRequests":{}}',
    '{"resultType":"task"}',
    '{"task":{"taskId":"1"}}',
  ]) {
    expect(() => redacted(other), other).toThrow('no whole answer')
  }
  const request = (method: string, params = '{}') => {
    const message = readUpstreamMessage(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`)
    return canRedact({ message: message as Message })
  }
  for (const method of ['tools/call', 'resources/read', 'prompts/get']) expect(request(method)).toBe(true)
  for (const method of ['tasks/get', 'tasks/result', 'completion/complete', 'resources/subscribe'])
    expect(request(method)).toBe(false)
  expect(request('tools/call', '{"task":{}}')).toBe(false)
  expect(canRedact({ message: undefined })).toBe(false)
})

test('beside such an answer nothing comes but how far it is; an error says nothing of its server', () => {
  const ok = read('{"jsonrpc":"2.0","id":1,"result":{}}')
  expect(screenBeside(ok)).toBe(ok)
  const progress = read('{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}')
  expect(screenBeside(progress)).toBe(progress)
  for (const other of [
    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"message":"x@y"}}',
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x@y"}}',
    '{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"message":"x@y"}}',
  ]) {
    expect(screenBeside(read(other)), other).toBeUndefined()
  }
  const failed = screenBeside(
    read('{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x@y","data":{"a":"x@y"}}}'),
  )
  expect(failed?.text).not.toContain('x@y')
  expect(failed?.text).toContain('-32000')
})
