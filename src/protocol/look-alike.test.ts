import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fold, hasLookAlike, hasTwins, knownNames } from './look-alike.ts'

const known = knownNames('name', 'task', 'uri', 'id', 'arguments', '_meta', 'requestId')

test.each([
  ['another case', 'Name'],
  ['all capitals', 'NAME'],
  ['a long s', 'ta\u017fk'],
  ['a Kelvin sign', 'tas\u212a'],
  ['full width', '\uff4eame'],
  ['full-width capitals', '\uff2e\uff21\uff2d\uff25'],
  ['a mathematical letter', '\u{1d427}ame'],
  ['a circled letter', '\u24dd\u24d0\u24dc\u24d4'],
  ['an i without its dot', 'ur\u0131'],
  ['an I with a dot', '\u0130d'],
  ['an i and a loose dot', 'i\u0307d'],
  ['a joiner inside', 'na\u200dme'],
  ['a non-joiner inside', 'na\u200cme'],
  ['a soft hyphen inside', 'na\u00adme'],
  ['a byte order mark before', '\ufeffname'],
  ['a word joiner after', 'name\u2060'],
  ['a direction mark inside', 'na\u202eme'],
  ['a variation selector', 'name\ufe0f'],
  ['a Hangul filler', 'name\u3164'],
  ['a space before', ' name'],
  ['a space after', 'name '],
  ['a tab inside', 'na\tme'],
  ['a line end', 'name\n'],
  ['a NUL and more', 'name\u0000x'],
  ['underscores for humps', 'request_id'],
  ['no humps', 'requestid'],
  ['no underscore', 'meta'],
])('%s makes a look-alike', (_what, key) => {
  expect(hasLookAlike({ [key]: 1 }, known)).toBe(true)
})

test.each(['name', 'names', 'nam', 'title', 'méta', 'uris', 'naïve', 'ｔitle', ''])('%s is itself', (key) => {
  expect(hasLookAlike({ [key]: 1 }, known)).toBe(false)
})

test('two keys of one object are twins when they fold to one name, however many others there are', () => {
  const others = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 0]))
  for (const [one, other] of [
    ['path', 'Path'],
    ['path', 'pat\u200dh'],
    ['ſ', 's'],
  ] as const) {
    expect(hasTwins({ [one]: 1, [other]: 2 })).toBe(true)
    expect(hasTwins({ [one]: 1, ...others, [other]: 2 })).toBe(true)
  }
  for (const alone of [{}, { a: 1 }, { a: 1, b: 2 }, { user_id: 1, userId: 2 }, { ...others, path: 1 }]) {
    expect(hasTwins(alone)).toBe(false)
  }
})

test('few keys and many keys are compared alike', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'A', 'b', 'ſ', 's', '\u200d', '_'), maxLength: 3 })
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 12 }), (keys) => {
      const object = Object.fromEntries(keys.map((each) => [each, 0]))
      expect(hasTwins(object)).toBe(new Set(keys.map(fold)).size < keys.length)
    }),
  )
})
