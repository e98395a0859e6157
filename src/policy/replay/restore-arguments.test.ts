import { sanitise } from '#audit'
import { expect, test } from 'vitest'
import { argumentOf, untold } from '../arguments.ts'
import { unknown } from '../evaluate/values.ts'
import { restoreArguments } from './restore-arguments.ts'

/** What is left of arguments once they went through the ledger. */
const kept = (given: unknown) => restoreArguments(sanitise({ arguments: given }))

test('what the ledger keeps whole comes back as it was', () => {
  const given = { to: 'ops', amount: 7, dry: true, tags: ['a', 'b'], opts: { mode: null, list: [] } }
  expect(kept(given)).toEqual(given)
  expect(restoreArguments({})).toEqual({})
  expect(restoreArguments(undefined)).toEqual({})
})

test('what is masked, cut or replaced is untold, and only that', () => {
  const given = {
    to: 'ann@example.com',
    password: 'hunter2',
    long: 'x'.repeat(5_000),
    lone: '\uD800',
    huge: Number.POSITIVE_INFINITY,
    tags: ['red', 'bob@example.com'],
    open: 'as it was',
  }
  const { to, password, long, lone, huge, tags, open } = kept(given) ?? {}
  expect([to, password, long, lone, huge, tags]).toEqual(Array.from({ length: 6 }, () => untold))
  expect(open).toBe('as it was')
})

test('an object of which a name is masked or cut away is untold as a whole: any name could have been there', () => {
  expect(kept({ inner: { 'ann@example.com': 1, plain: 2 }, other: 3 })).toEqual({ inner: untold, other: 3 })
  expect(kept({ 'ann@example.com': 1 })).toBeUndefined()
  const wide = Object.fromEntries(Array.from({ length: 256 }, (_, at) => [`k${at}`, at]))
  expect(kept(wide)).toEqual(wide)
  expect(kept({ ...wide, more: 1 })).toBeUndefined()
})

test('a rule that reads what is untold, or something below it, reads the unknown', () => {
  const given = kept({ to: 'ann@example.com', inner: { 'ann@example.com': 1 }, open: 'x' })
  expect(argumentOf(given, 'texts', 'to')).toBe(unknown)
  expect(argumentOf(given, 'numbers', 'inner/any')).toBe(unknown)
  expect(argumentOf(given, 'texts', 'open')).toBe('x')
  expect(argumentOf(given, 'texts', 'missing')).toBeUndefined()
})

test('a text that looks like a mask is untold, whoever wrote it', () => {
  expect(kept({ to: '[email]', cc: '[not a mask]' })).toEqual({ to: untold, cc: '[not a mask]' })
})

test('a member called __proto__ is a member like any other', () => {
  const given = kept(JSON.parse('{"__proto__":{"to":"x"}}'))
  expect(Object.hasOwn(given ?? {}, '__proto__')).toBe(true)
  expect(argumentOf(given, 'texts', 'to')).toBeUndefined()
})

test('parameters that are no object, or of which a name is masked, tell nothing', () => {
  for (const parameters of [null, 'x', 7, ['x'], { '[email]': 1, arguments: { to: 'x' } }, { '[email]': 1 }]) {
    expect(restoreArguments(parameters), JSON.stringify(parameters)).toBeUndefined()
  }
  for (const given of ['x', 7, null, ['x']]) expect(restoreArguments({ arguments: given })).toBeUndefined()
})
