import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Secret } from '#kernel'

import { deepest, mostChars, mostMembers, mostValues, sanitise, writeSanitised } from './sanitise.ts'

const marker = 'q7Zv9xKtm2LpR8sYdNcHjFgA'

test.each([
  'password',
  'Passwd',
  'DB_PASSWORD',
  'userPassword2',
  'secret',
  'token',
  'access-token',
  'refreshToken',
  'api_key',
  'X-API-Key',
  'apikey',
  'authorization',
  'Set-Cookie',
  'private_key',
  'clientSecret',
  'client_secret',
  'otp',
  'recoveryCodes',
])('what is named %s is a secret, whatever its kind', (key) => {
  for (const value of ['x', 5, ['x'], { x: 1 }, new Map([['x', 1]]), Buffer.from('x')])
    expect(sanitise({ [key]: value })).toEqual({ [key]: '[secret]' })
  for (const value of [true, null]) expect(sanitise({ [key]: value })).toEqual({ [key]: value })
})

test('a code is a secret when it has six to eight digits', () => {
  const code = (value: unknown) => sanitise({ code: value })
  for (const value of ['123456', '12345678', '123 456', 123_456]) expect(code(value)).toEqual({ code: '[secret]' })
  for (const value of ['12345', '123456789', 200, -32_600, 'policy.held']) expect(code(value)).toEqual({ code: value })
})

test('names that only sound alike are open', () => {
  const open = {
    maxTokens: 500,
    tokens: 12,
    tokenId: 'a',
    secretary: 'b',
    keyboard: 'c',
    hasPassword: true,
    author: 'd',
  }
  expect(sanitise(open)).toEqual(open)
})

test('member names are masked too, and two that are masked alike both stay', () => {
  expect(sanitise({ 'ana@example.com': 1, 'bob@example.com': 2 })).toEqual({ '[email]': 1, '[email] (2)': 2 })
})

class Card {
  readonly holder = 'ana@example.com'
  get number(): string {
    return 'not own'
  }
}

test('values of every kind become plain JSON', () => {
  const kinds = {
    buffer: Buffer.from('secret'),
    typed: new Float64Array(3),
    bytes: new ArrayBuffer(5),
    map: new Map<string, unknown>([
      ['token', 'x'],
      ['a', 1],
    ]),
    pairs: new Map([[1, 'ana@example.com']]),
    set: new Set(['ana@example.com']),
    date: new Date(0),
    noDate: new Date(Number.NaN),
    big: 10n ** 30n,
    error: new TypeError('mail ana@example.com', { cause: 'password=x' }),
    url: new URL('https://ana:pw@host.example/'),
    pattern: /x/,
    call: () => 1,
    symbol: Symbol('x'),
    not: Number.NaN,
    endless: -Infinity,
    missing: undefined,
    list: [undefined, null],
    card: new Card(),
    number: 4_111_111_111_111_111,
    boxed: Object('text'),
    secret: new Secret('x'),
    own: new Secret('x'),
  }
  expect(sanitise(kinds)).toEqual({
    buffer: '[bytes: 6]',
    typed: '[bytes: 24]',
    bytes: '[bytes: 5]',
    map: { token: '[secret]', a: 1 },
    pairs: [[1, '[email]']],
    set: ['[email]'],
    date: '1970-01-01T00:00:00.000Z',
    noDate: '[invalid date]',
    big: `1${'0'.repeat(30)}`,
    error: { name: 'TypeError', message: 'mail [email]', cause: 'password=[secret]' },
    url: 'https://[secret]@host.example/',
    pattern: {},
    call: '[function]',
    symbol: '[symbol]',
    not: 'NaN',
    endless: '-Infinity',
    list: [null, null],
    card: { holder: '[email]' },
    number: '[card]',
    boxed: 'text',
    secret: '[secret]',
    own: '[secret]',
  })
})

test('what lies, throws, repeats or never ends is marked', () => {
  const cycle: Record<string, unknown> = { a: 1 }
  cycle['self'] = [cycle]
  const throwing = Object.defineProperty({ b: 1 }, 'a', {
    enumerable: true,
    get: () => {
      throw new Error('no')
    },
  })
  const lying = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no')
      },
    },
  )
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  const endless = (): object => Object.assign(Object.create({ toJSON: endless }), {})
  expect(sanitise({ cycle, throwing, lying, proxy })).toEqual({
    cycle: { a: 1, self: ['[cycle]'] },
    throwing: { a: '[unreadable]', b: 1 },
    lying: '[unreadable]',
    proxy: '[unreadable]',
  })
  expect(sanitise(endless())).toBeDefined()
})

test('prototype names are names like any other', () => {
  const hostile: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":2},"hasOwnProperty":3}')
  const copy = sanitise(hostile)
  expect(JSON.stringify(copy)).toBe(JSON.stringify(hostile))
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
  expect('polluted' in {}).toBe(false)
})

function nest(depth: number): unknown {
  let value: unknown = 'end'
  for (let level = 0; level < depth; level++) value = { a: value }
  return value
}

test(`${deepest} levels are kept, one more is cut`, () => {
  expect(JSON.stringify(sanitise(nest(deepest)))).toContain('"end"')
  expect(JSON.stringify(sanitise(nest(deepest + 1)))).toContain('"[cut: 1 members]"')
})

test(`${mostMembers} members are kept, one more is cut`, () => {
  const list = (length: number) => Array.from({ length }, (_, n) => n)
  expect(sanitise(list(mostMembers))).toEqual(list(mostMembers))
  expect(sanitise(list(mostMembers + 3))).toEqual([...list(mostMembers), '[cut: 3 members]'])
  const object = Object.fromEntries(list(mostMembers + 1).map((n) => [`k${n}`, n]))
  expect(sanitise(object)).toMatchObject({ '[cut]': '[cut: 1 members]', [`k${mostMembers - 1}`]: mostMembers - 1 })
})

test('the whole is bounded in values and in text, however it is shaped', () => {
  const count = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? Object.values(value).reduce((sum: number, each) => sum + count(each), 1)
      : 1
  let wide: unknown = 1
  for (let level = 0; level < 6; level++) wide = Array.from({ length: 20 }, () => wide)
  expect(count(sanitise(wide))).toBeLessThan(mostValues * 1.2)
  const texts = Array.from({ length: 200 }, () => 'word '.repeat(1000))
  expect(JSON.stringify(sanitise(texts)).length).toBeLessThan(mostChars * 1.2)
  const names = Object.fromEntries(texts.map((text, n) => [`${n}${text}`, text]))
  expect(JSON.stringify(sanitise(names)).length).toBeLessThan(mostChars * 2.5)
})

const secretKeys = ['password', 'apiKey', 'client-secret', 'TOKEN', 'authorization']
const shaped = [`ghp_${marker}`, `cst_${marker}`, `sk-${marker}`, `Bearer ${marker}`, `password=${marker}`]
const planted = fc.oneof(
  fc.constantFrom(...secretKeys).map((key): unknown => ({ [key]: marker })),
  fc.constantFrom(...secretKeys).map((key): unknown => ({ [key]: [{ deep: marker }] })),
  fc.tuple(fc.string(), fc.constantFrom(...shaped)).map(([text, secret]): unknown => `${text} ${secret}`),
  fc.constantFrom(...shaped).map((secret): unknown => ({ [secret]: 1 })),
)
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 24, depthIdentifier: 'tree' },
    planted,
    fc.tuple(tie('tree'), fc.anything()).map(([inner, other]) => [other, inner]),
    fc.tuple(fc.string(), tie('tree')).map(([key, inner]) => ({ [key]: inner })),
    fc.tuple(fc.string(), tie('tree')).map(([key, inner]) => new Map([[key, inner]])),
    tie('tree').map((inner) => new Set([inner])),
    tie('tree').map((inner) => new Error('failed', { cause: inner })),
  ),
}))

test('no planted secret survives at any depth', () => {
  fc.assert(
    fc.property(tree, (value) => {
      expect(JSON.stringify(sanitise(value))).not.toContain(marker)
    }),
    { numRuns: 1000 },
  )
})

test('what is written is always canonical JSON', () => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withNullPrototype: true,
        withUnicodeString: true,
      }),
      (value) => {
        const text = writeSanitised(value)
        expect(canonicalize(JSON.parse(text))).toBe(text)
      },
    ),
    { numRuns: 500 },
  )
})
