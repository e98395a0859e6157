import { expect, test } from 'vitest'
import { compilePolicy } from '../cedar/compile.ts'
import type { CompiledRule } from '../cedar/source.ts'
import * as read from './expressions.ts'

function rule(conditions: string, scope = 'principal, action, resource'): CompiledRule {
  const text = `forbid (${scope}) ${conditions};`
  const compilation = compilePolicy({ roles: [], files: [{ name: 'a.cedar', text }] }, 1)
  if (!compilation.isValid) throw new Error(JSON.stringify(compilation.problems))
  const [first] = compilation.policy.rules
  if (first === undefined) throw new Error('there is no rule')
  return first
}

const calls = 'principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool'
const when = (condition: string) => rule(`when { ${condition} }`, calls)

test('what a path is compared with is found on either side, in lists, and nowhere else', () => {
  const names = (condition: string) => read.textsComparedWith(when(condition), 'resource.name')
  expect(names('resource.name == "a" || "b" == resource.name')).toEqual(['a', 'b'])
  expect(names('["a", "b"].contains(resource.name)')).toEqual(['a', 'b'])
  expect(names('!(resource.upstream == "u" && resource.name == "a")')).toEqual(['a'])
  expect(names('resource.upstream == "u"')).toEqual([])
  expect(names('resource.name == principal.name || principal.name == resource.name')).toEqual([])
  expect(names('[principal.name, "a"].contains(resource.name)')).toEqual(['a'])
  expect(names('["a"].contains(resource.upstream)')).toEqual([])
  expect(names('resource.dataClasses.contains(resource.name)')).toEqual([])
  expect(names('resource.name like "a*"')).toEqual([])
})

test('what a set is asked for is found in each way of asking', () => {
  const zones = (condition: string) => read.textsAskedOf(when(condition), 'context.zones')
  expect(zones('context.zones.contains("a")')).toEqual(['a'])
  expect(zones('context.zones.containsAny(["a", "b"])')).toEqual(['a', 'b'])
  expect(zones('context.zones.containsAll(["a"])')).toEqual(['a'])
  expect(zones('context.zones.contains(principal.name)')).toEqual([])
  expect(zones('context.factors.contains("a")')).toEqual([])
  expect(zones('["a"].contains(principal.name)')).toEqual([])
  expect(zones('context.zones == ["a"]')).toEqual([])
})

test('keys of arguments are told with their kind', () => {
  const keys = (condition: string) => read.argumentKeysOf(when(condition))
  expect(keys('context.texts.hasTag("to") && context.texts.getTag("to") == "x"')).toEqual([
    { kind: 'texts', key: 'to' },
  ])
  expect(keys('context.numbers.hasTag("a/b") && context.numbers.getTag("a/b") > 1')).toEqual([
    { kind: 'numbers', key: 'a/b' },
  ])
  expect(keys('context.texts.hasTag("to")')).toEqual([])
  expect(keys('principal.hasTag("c") && principal.getTag("c").contains("x")')).toEqual([])
})

test('parts that all have to hold are told one by one, and what unless says as one', () => {
  expect(
    read.conjunctsOf(
      rule('when { principal.name == "a" && principal.id == "b" } unless { principal.id == "c" && true }'),
    ),
  ).toHaveLength(3)
  const [only, ...more] = read.conjunctsOf(rule('when { principal.name == "a" || principal.id == "b" }'))
  expect([only?.startsWith('{"||"'), more]).toEqual([true, []])
  expect(read.conjunctsOf(rule('unless { true }'))).toEqual(['unless {"Value":true}'])
  expect(read.conjunctsOf(rule(''))).toEqual([])
})

test('a path is a variable with its attributes, and nothing else is one', () => {
  const attribute = { '.': { left: { Var: 'context' }, attr: 'zones' } }
  expect(read.pathOf({ Var: 'context' })).toBe('context')
  expect(read.pathOf(attribute)).toBe('context.zones')
  expect(read.pathOf({ '.': { left: attribute, attr: 'x' } })).toBe('context.zones.x')
  for (const none of [
    { '.': { left: { Value: 'a' }, attr: 'x' } },
    { Value: 'a' },
    { Var: 7 },
    null,
    'context',
    [attribute],
  ]) {
    expect(read.pathOf(none)).toBeUndefined()
  }
  expect([read.literalText({ Value: 'a' }), read.literalText({ Value: 1 }), read.literalText('a')]).toEqual([
    'a',
    undefined,
    undefined,
  ])
})

test('every part of an expression is seen, in lists as well', () => {
  const deep = { a: [{ b: 1 }, [{ c: { d: 2 } }], 'text', null] }
  expect(read.everyPart(deep)).toEqual([deep, { b: 1 }, { c: { d: 2 } }, { d: 2 }])
})

test('entities are found in head and conditions, and what is spoken of as well', () => {
  const scope =
    'principal in Castellan::Role::"r", action in [Castellan::Action::"tools:call", Castellan::Action::"read"], resource'
  const named = read.entitiesOf(rule('when { principal in Castellan::Group::"g" }', scope)).map(({ id }) => id)
  expect(named).toEqual(['r', 'tools:call', 'read', 'g'])
  const own = rule('when { resource is Castellan::Tool }')
  expect([read.speaksOf(own, 'resource'), read.speaksOf(own, 'principal')]).toEqual([true, false])
  expect(read.speaksOf(rule(''), 'resource')).toBe(false)
})
