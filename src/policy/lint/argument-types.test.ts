import { expect, test } from 'vitest'
import { compilePolicy } from '../cedar/compile.ts'
import { argumentTypes } from './argument-types.ts'
import type { LintMatter } from './finding.ts'

const of = { texts: '"x"', numbers: '1', flags: 'true', lists: '["x"]' }

function told(kind: keyof typeof of, key: string, schema: unknown, where = 'resource.upstream == "bank"') {
  const read = `context.${kind}.hasTag("${key}") && context.${kind}.getTag("${key}") == ${of[kind]}`
  const text = `\n@id("r") forbid (principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool)
when { ${where} && resource.name == "pay" && ${read} };`
  const compiled = compilePolicy({ roles: [], files: [{ name: 'a.cedar', text }] }, 1)
  if (!compiled.isValid) throw new Error(JSON.stringify(compiled.problems))
  const matter = { rules: compiled.policy.rules, world: { tools: new Map([['bank/pay', schema]]) } }
  return argumentTypes(matter as unknown as LintMatter)
}

const typed = (type: unknown) => ({ properties: { a: { type } } })
const wrongly = (types: string, kind: string) => [
  {
    rule: 'a.cedar#r',
    file: 'a.cedar',
    line: 2,
    column: 1,
    code: 'lint.argument-type',
    severity: 'error',
    says: `\`bank/pay\` takes \`a\` as ${types}, and the rule reads it from \`context.${kind}\``,
    hint: 'strings are in texts, integers in numbers, booleans in flags, lists of strings in lists',
  },
]

test.each([
  ['texts', 'string'],
  ['numbers', 'integer'],
  ['numbers', 'number'],
  ['flags', 'boolean'],
  ['lists', 'array'],
] as const)('%s are arguments of the type %s, and no other', (kind, type) => {
  expect(told(kind, 'a', typed(type))).toEqual([])
  expect(told(kind, 'a', typed(['null', type]))).toEqual([])
  expect(told(kind, 'a', typed('object'))).toEqual(wrongly('object', kind))
  expect(told(kind, 'a', typed(['null', 'object']))).toEqual(wrongly('null or object', kind))
})

test('a schema that says nothing certain is not held against a rule', () => {
  for (const schema of [undefined, null, true, [], {}, { properties: [] }, typed(undefined), typed([]), typed(7)]) {
    expect(told('texts', 'a', schema), JSON.stringify(schema)).toEqual([])
  }
  expect(told('texts', 'a', { properties: { a: true } })).toEqual([])
  expect(told('texts', 'b', typed('string'))).toEqual([])
  expect(told('texts', 'toString', { ...typed('string'), additionalProperties: true })).toEqual([])
  expect(told('texts', 'a/b', { ...typed('object'), additionalProperties: false })).toEqual([])
})

test('an argument that cannot be there is told, also one within another', () => {
  const absent = (key: string) => [
    {
      rule: 'a.cedar#r',
      file: 'a.cedar',
      line: 2,
      column: 1,
      code: 'lint.unknown-argument',
      severity: 'warning',
      says: `\`bank/pay\` takes no argument \`${key}\``,
      hint: 'correct the name of the argument',
    },
  ]
  const closed = { ...typed('string'), additionalProperties: false }
  expect(told('texts', 'b', closed)).toEqual(absent('b'))
  expect(told('texts', 'toString', closed)).toEqual(absent('toString'))
  expect(told('texts', 'in/b', { properties: { in: closed } })).toEqual(absent('in/b'))
  expect(told('texts', 'in/a', { properties: { in: closed } })).toEqual([])
  expect(
    told('numbers', 'x~1y~0', { properties: { 'x/y~': { type: 'integer' } }, additionalProperties: false }),
  ).toEqual([])
})

test('a tool that the rule does not name, or that nobody has, is not looked at', () => {
  expect(told('texts', 'a', typed('object'), 'resource.upstream == "mail"')).toEqual([])
  expect(told('texts', 'a', typed('object'), 'resource.upstream != "bank"')).toEqual([])
})
