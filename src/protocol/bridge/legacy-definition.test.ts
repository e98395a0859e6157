import { expect, test } from 'vitest'
import { legacyDefinition, legacyDefinitions } from './legacy-definition.ts'

const tool = (schema: string): string => `{"name":"t","outputSchema":${schema},"x":1.0}`

test('a definition without an output schema, or with one of an object, stays as it was written', () => {
  for (const text of ['{"name":"t" }', tool('{"type":"object","properties":{"a":{"type":"array"}}}')]) {
    expect(legacyDefinition(text)).toBe(text)
  }
})

test('the schema of what is no object is put into one, as the content is', () => {
  expect(legacyDefinition(tool('{"type":"array","minItems":1.0}'))).toBe(
    tool('{"type":"object","properties":{"result":{"type":"array","minItems":1.0}},"required":["result"]}'),
  )
  expect(legacyDefinition(tool('{"$schema":"s","type":"array","items":{"$ref":"#/$defs/a"},"$defs":{"a":{}}}'))).toBe(
    tool(
      '{"type":"object","properties":{"result":{"type":"array","items":{"$ref":"#/$defs/a"}}},"required":["result"],"$schema":"s","$defs":{"a":{}}}',
    ),
  )
})

test.each([
  '{"anyOf":[{"type":"object"},{"type":"array"}]}',
  '{"type":["object","null"]}',
  '{"type":[]}',
  '{"type":"array","items":{"$ref":"#"}}',
  '{"type":"array","items":{"$ref":"#/properties/a"}}',
  '{"type":"array","$id":"https://a"}',
  '{"type":"array","items":{"$dynamicRef":"#a"}}',
  'true',
  'null',
])('the schema %s cannot be put into an object, and goes', (schema) => {
  expect(legacyDefinition(tool(schema))).toBe('{"name":"t","x":1.0}')
})

test('of a list each tool is looked at, and what is no list is left alone', () => {
  const list = (...tools: string[]) => `{"id":1,"result":{"tools":[${tools.join(' , ')}],"outputSchema":1}}`
  expect(legacyDefinitions(list(tool('true'), '{"name":"u" }', '1'))).toBe(
    list('{"name":"t","x":1.0}', '{"name":"u" }', '1'),
  )
  expect(legacyDefinitions('{"id":1,"error":{"message":"outputSchema"}}')).toBe(
    '{"id":1,"error":{"message":"outputSchema"}}',
  )
  expect(legacyDefinitions('{"id":1,"result":{"tools":{"outputSchema":1}}}')).toBe(
    '{"id":1,"result":{"tools":{"outputSchema":1}}}',
  )
})
