import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allArguments, argumentKinds, argumentOf, mostTold } from './arguments.ts'
import { keyPart } from './evaluate/canonical.ts'
import { isValue, type Result } from './evaluate/values.ts'

const name = fc.oneof(
  fc.constantFrom('to', 'To', 'tO', 'a/b', 'a~b', '~1', '', '0', '01', '__proto__', 'length', 'ｔo', 'ß', 'ẞ'),
  fc.string({ maxLength: 3 }),
)
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -0, 7, 2.5, 2 ** 53, -(2 ** 53) + 1, 1e300, '', '\ud800'),
  fc.string({ maxLength: 4 }),
  fc.array(fc.string({ maxLength: 2 }), { maxLength: 3 }),
)
const { tree } = fc.letrec<{ tree: unknown; members: unknown; list: unknown }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small' }, leaf, tie('members'), tie('list')),
  members: fc.dictionary(name, tie('tree'), { maxKeys: 4 }),
  list: fc.array(tie('tree'), { maxLength: 3 }),
}))
const given = fc.dictionary(name, tree, { maxKeys: 5 })

function shown(result: Result | undefined): unknown {
  if (typeof result !== 'object') return result
  return result.kind === 'set' ? [...result.values()] : result
}

function keysOf(all: ReturnType<typeof allArguments>): Set<string> {
  return new Set(argumentKinds.flatMap((kind) => Object.keys(all[kind])))
}

describe('what rules read of arguments, and what the official engine is told of them', () => {
  test('are the same under every key, in each of the four ways', () => {
    fc.assert(
      fc.property(given, fc.array(name, { maxLength: 3 }), (told, more) => {
        const all = allArguments(told)
        for (const key of new Set([...keysOf(all), ...more, more.join('/')])) {
          for (const kind of argumentKinds) {
            const found = argumentOf(told, kind, key)
            // WHY: what is confused denies, and is put to no engine.
            if (found !== undefined && !isValue(found)) continue
            expect(shown(found), `${kind} ${key}`).toEqual(all[kind][key])
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('differ only where reading denies: beside a look-alike, and in another type', () => {
    const all = allArguments({ to: 'x', To: 'y', n: 'seven' })
    expect(all.texts).toEqual({ to: 'x', To: 'y', n: 'seven' })
    expect(argumentOf({ to: 'x', To: 'y' }, 'texts', 'to')).toMatchObject({ kind: 'wrong', because: 'confused' })
    expect(argumentOf({ n: 'seven' }, 'numbers', 'n')).toMatchObject({ kind: 'wrong', because: 'confused' })
    expect(argumentOf({ n: 'seven' }, 'texts', 'n')).toBe('seven')
  })

  test('a key in which a tilde stands for nothing is no other way to name an argument', () => {
    expect(argumentOf({ 'a~b': 'x' }, 'texts', 'a~0b')).toBe('x')
    for (const key of ['a~b', 'a~', '~2', 'x/a~b']) {
      expect(argumentOf({ 'a~b': 'x' }, 'texts', key), key).toMatchObject({ kind: 'wrong', because: 'confused' })
    }
  })

  test.each([30, 31, 32, 33, 1_000])(
    'a member beside %d others is read as it is alone, and so are look-alikes',
    (count) => {
      const others = Object.fromEntries(Array.from({ length: count }, (_, index) => [`other-${index}`, index]))
      const read = (more: object, key: string) => {
        const object = { ...others, ...more }
        const [first, again] = [argumentOf(object, 'texts', key), argumentOf(object, 'texts', key)]
        expect(again).toEqual(first)
        return first
      }
      const isConfused = { kind: 'wrong', because: 'confused' }
      expect(read({ to: 'x' }, 'to')).toBe('x')
      expect(read({}, 'to')).toBeUndefined()
      expect(read(JSON.parse('{"__proto__":"x"}') as object, '__proto__')).toBe('x')
      expect(read({}, '__proto__')).toBeUndefined()
      expect(read({}, 'toString')).toBeUndefined()
      expect(read({ To: 'x' }, 'to')).toMatchObject(isConfused)
      expect(read({ to: 'x', To: 'x' }, 'to')).toMatchObject(isConfused)
      expect(read({ To: 'x', to: 'x' }, 'to')).toMatchObject(isConfused)
      expect(read({ deep: { ...others, to: 'x' } }, 'deep/to')).toBe('x')
      expect(read({ to: 7 }, 'to')).toMatchObject(isConfused)
    },
  )

  test('a thousand keys cost hardly more than one where there are many members', () => {
    const many = () => Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`m${index}`, index]))
    const msFor = (keys: number): number => {
      const object = many()
      const before = process.cpuUsage()
      for (let key = 0; key < keys; key += 1) argumentOf(object, 'texts', `key${key}`)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1_000
    }
    const one = Math.min(...Array.from({ length: 5 }, () => msFor(1)))
    expect(msFor(1_000)).toBeLessThan(20 * one + 50)
  })

  test.each([1, 64, 65, 5_000])(
    'a list of %d is the texts it holds, however often it is read, or no list at all',
    (length) => {
      const texts = Array.from({ length }, (_, index) => `t${index % 4_000}`)
      const told = { to: texts, cc: [...texts, ''], odd: [...texts.slice(1), 7], bad: [...texts.slice(1), '\ud800'] }
      for (let round = 0; round < 2; round += 1) {
        expect(shown(argumentOf(told, 'lists', 'to'))).toEqual([...new Set(texts)])
        expect(shown(argumentOf(told, 'lists', 'cc'))).toEqual([...new Set([...texts, ''])])
        for (const key of ['odd', 'bad'])
          expect(argumentOf(told, 'lists', key), key).toHaveProperty('because', 'confused')
      }
    },
  )

  test('a thousand readings of a long list cost hardly more than one', () => {
    const told = { to: Array.from({ length: 200_000 }, (_, index) => `t${index}`) }
    const msFor = (times: number): number => {
      const fresh = { to: [...told.to] }
      const before = process.cpuUsage()
      for (let time = 0; time < times; time += 1) keyPart(argumentOf(fresh, 'lists', 'to'))
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1_000
    }
    const one = Math.min(...Array.from({ length: 5 }, () => msFor(1)))
    expect(msFor(1_000)).toBeLessThan(10 * one + 50)
  })

  test('the engine is told at most so much, a long name as often as it is written', () => {
    const fits = { name: 'x'.repeat(mostTold - 4) }
    expect(Object.keys(allArguments(fits).texts)).toEqual(['name'])
    expect(() => allArguments({ name: `${fits.name}x` })).toThrow(RangeError)
    const long = 'n'.repeat(1_000)
    const under = (count: number) => ({
      [long]: Object.fromEntries(Array.from({ length: count }, (_, index) => [String(index).padStart(5, '0'), true])),
    })
    const each = long.length + 1 + 5 + 1
    const most = Math.floor((mostTold - long.length - 1) / each)
    expect(Object.keys(allArguments(under(most)).flags)).toHaveLength(most)
    expect(() => allArguments(under(most + 1))).toThrow(RangeError)
  })

  test('what is remembered of names is bounded, and forgets nothing that counts', () => {
    for (let round = 0; round < 2_500; round += 1) {
      expect(argumentOf({ [`k${round}`]: 'v' }, 'texts', `k${round}`)).toBe('v')
      expect(argumentOf({ [`k${round}`]: 'v', [`K${round}`]: 'w' }, 'texts', `k${round}`)).toHaveProperty(
        'kind',
        'wrong',
      )
    }
    const long = 'x'.repeat(65)
    expect(argumentOf({ [long]: 'v' }, 'texts', long)).toBe('v')
    expect(argumentOf({ [long]: 'v', [long.toUpperCase()]: 'w' }, 'texts', long)).toHaveProperty('kind', 'wrong')
  })
})

test('what cannot be told apart says why', () => {
  const says = (given: Record<string, unknown>, kind: 'texts' | 'numbers', key: string) => {
    const found = argumentOf(given, kind, key)
    return typeof found === 'object' && found.kind === 'wrong' ? found.says : found
  }
  expect(says({ 'a~b': 'x' }, 'texts', 'a~b')).toBe(
    'a rule names an argument by a key in which `~` is not written `~0`',
  )
  expect(says({ to: 'x', To: 'y' }, 'texts', 'to')).toBe('an argument that a rule reads has a look-alike')
  expect(says({ n: 'seven' }, 'numbers', 'n')).toBe('an argument that a rule reads in `numbers` is something else')
})
