import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs'
import { expect, test } from 'vitest'
import { findPins, withoutPins } from './pins.ts'

function bodies(...conditions: readonly string[]): unknown[] {
  const answer = policyToJson(
    `permit (principal, action, resource) ${conditions.map((one) => `when { ${one} }`).join(' ')};`,
  )
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message)
  return answer.json.conditions.map(({ body }) => body)
}

/** Alternatives as `type=T upstream=a,b`. */
function pins(...conditions: readonly string[]): string[] {
  return findPins(bodies(...conditions)).map((alternative) =>
    alternative
      .map((pin) => (pin.on === 'type' ? `type=${pin.type}` : `${pin.on}=${[...pin.values].join()}`))
      .join(' '),
  )
}

test.each([
  ['resource.upstream == "a"', ['upstream=a']],
  ['"a" == resource.upstream', ['upstream=a']],
  ['resource.name == "a"', ['name=a']],
  ['resource is Castellan::Tool', ['type=Castellan::Tool']],
  ['["a", "b"].contains(resource.name)', ['name=a,b']],
  ['["a", 1].contains(resource.name)', ['name=a']],
  ['resource.upstream == "a" && resource.name == "b"', ['upstream=a name=b']],
  [
    'resource is T && (resource.upstream == "a" || resource.upstream == "b")',
    ['type=T upstream=a', 'type=T upstream=b'],
  ],
  ['resource.name == "a" || resource.name == "b" || resource is T', ['name=a', 'name=b', 'type=T']],
  ['resource.name == "a" && context.x && resource.upstream == "b"', ['name=a']],
  ['(resource.name == "a" && context.x) || resource.name == "b"', ['name=a', 'name=b']],
  ['((resource.name == "a" && context.x) || resource.name == "b") && resource is T', ['name=a', 'name=b']],
])('%s pins %j', (condition, found) => {
  expect(pins(condition)).toEqual(found)
})

test.each([
  'resource.owner == "a"',
  'principal.name == "a"',
  'context.resource.name == "a"',
  'resource.name == principal.name',
  'resource.name == 1',
  'resource.name != "a"',
  'resource.name like "a*"',
  'principal is T',
  'resource is T in G::"g"',
  '["a"].contains(principal.name)',
  '["a"].contains(resource.owner)',
  '[principal.name].contains(resource.name)',
  '"a".contains(resource.name)',
  'resource.dataClasses.contains("a")',
  'resource.dataClasses.contains(resource.name)',
  'context.x || resource.name == "a"',
  '!(resource.name == "a")',
  'if resource.name == "a" then true else false',
])('%s pins nothing', (condition) => {
  expect(pins(condition)).toEqual(condition.includes('||') ? ['', 'name=a'] : [''])
})

test('clauses are asked one after the other, up to the first that asks something else', () => {
  expect(pins('resource is T', 'resource.upstream == "a"')).toEqual(['type=T upstream=a'])
  expect(pins('resource is T', 'context.x', 'resource.upstream == "a"')).toEqual(['type=T'])
  expect(pins()).toEqual([''])
})

test('256 alternatives are told apart, and with one more none are', () => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `resource.name == "n${at}"`).join(' || ')
  expect(pins(names(256))).toHaveLength(256)
  expect(pins(names(257))).toEqual([''])
  expect(pins(`(${names(16)}) && (${names(16)})`)).toHaveLength(256)
  expect(pins(`(${names(17)}) && (${names(16)})`)).toHaveLength(17)
  expect(pins(`(${names(200)}) || ((${names(28)}) && (resource is T || resource is U))`)).toHaveLength(256)
  expect(pins(`(${names(200)}) || ((${names(29)}) && (resource is T || resource is U))`)).toEqual([''])
})

test('what is asked besides the pins at the beginning is kept, in its order', () => {
  const [whole] = bodies('resource is T && resource.name == "a" && context.x && resource.upstream == "b" && context.y')
  const [rest] = bodies('context.x && resource.upstream == "b" && context.y')
  expect(withoutPins(whole)).toEqual(rest)
  const [nothing] = bodies('resource is T && resource.name == "a"')
  expect(withoutPins(nothing)).toBeUndefined()
  const [all] = bodies('context.x && resource is T')
  expect(withoutPins(all)).toEqual(all)
})
