/** Makes a good message hostile in one of the ways that parsers disagree about or stumble over. */
import type { Random } from './random.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const longText = 'a'.repeat(20_000)
const deep = (levels: number): Json => {
  let value: Json = 1
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

/** Values that parsers, databases, terminals and pattern matchers stumble over. */
const oddValues: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  Number.MAX_SAFE_INTEGER,
  1e308,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e\u2066',
  '\r\nSet-Cookie: a=b',
  "' OR 1=1 --",
  '../../../../etc/passwd',
  '%2e%2e%2f',
  '${jndi:ldap://127.0.0.1/a}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '\u001b[31m',
  '__proto__',
  'constructor',
  longText,
  [],
  {},
  deep(63),
  deep(70),
  Array.from({ length: 2_000 }, (_, index) => index),
  { toString: 1 },
]

const lookAlikes: Readonly<Record<string, readonly string[]>> = {
  s: ['\u017f', 'S'],
  k: ['\u212a', 'K'],
  i: ['\u0131', 'I'],
  a: ['\uff41', 'A'],
  e: ['E', 'e\u200d'],
  n: ['N', 'n\u00ad'],
  m: ['M', '\uff4d'],
}

function disguise(key: string, random: Random): string {
  const letters = [...key]
  const at = random.below(Math.max(1, letters.length))
  const letter = letters[at] ?? ''
  letters[at] = random.pick(lookAlikes[letter] ?? [letter.toUpperCase(), `${letter}\u0000`])
  return letters.join('')
}

function placesIn(value: Json, found: { holder: Json[] | { [key: string]: Json }; key: string | number }[] = []) {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      found.push({ holder: value, key: index })
      placesIn(item, found)
    })
  } else if (value !== null && typeof value === 'object') {
    for (const key of Object.keys(value)) {
      found.push({ holder: value, key })
      placesIn(value[key] ?? null, found)
    }
  }
  return found
}

/** Changes one place of a value: drops it, renames it, or puts something odd there. */
function changeOnePlace(value: Json, random: Random): void {
  const places = placesIn(value)
  const odd = structuredClone(random.pick(oddValues))
  if (places.length === 0) return
  const { holder, key } = random.pick(places)
  if (Array.isArray(holder)) {
    holder[Number(key)] = odd
    return
  }
  const held = holder[key] ?? null
  switch (random.below(5)) {
    case 0:
      delete holder[key]
      break
    case 1:
      delete holder[key]
      holder[disguise(String(key), random)] = held
      break
    case 2:
      holder[disguise(String(key), random)] = odd
      break
    case 3:
      holder[key] = [held, held]
      break
    default:
      holder[key] = odd
  }
}

/** Puts a second member with the name of a first one into the text, in one of the ways parsers disagree about. */
function duplicateKey(text: string, random: Random): string {
  const keys = [...text.matchAll(/"([a-z]{2,})":/gi)]
  if (keys.length === 0) return text
  const key = random.pick(keys)
  const name = key[1] ?? ''
  const escaped = `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`
  const twin = `"${random.oneIn(2) ? name : escaped}":${random.pick(['1', '"x"', 'null', '{}'])},`
  return text.slice(0, key.index) + twin + text.slice(key.index)
}

const insertions = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\\u',
  '\u0000',
  '\ufeff',
  '1e999',
  '-0',
  'NaN',
  '//',
  '\n',
]

function editText(text: string, random: Random): string {
  const at = random.below(text.length + 1)
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + random.pick(insertions) + text.slice(at)
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + random.below(8))
    default:
      return text + random.pick(['x', text, ' {}', '\u0000', '\n\n'])
  }
}

function flip(bytes: Buffer, random: Random): Buffer {
  for (let left = 1 + random.below(3); left > 0 && bytes.length > 0; left -= 1) {
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
  }
  return bytes
}

/** A message made hostile: in its structure, in its text or in its bytes; sometimes left as it is. */
export function mutateMessage(message: object, random: Random): Buffer {
  const value = structuredClone(message) as Json
  const kind = random.below(10)
  if (kind >= 8) return Buffer.from(JSON.stringify(value))
  for (let left = 1 + random.below(3); kind < 4 && left > 0; left -= 1) changeOnePlace(value, random)
  const text = JSON.stringify(value)
  if (kind < 4) return Buffer.from(text)
  if (kind === 4) return Buffer.from(duplicateKey(text, random))
  if (kind === 5) return Buffer.from(editText(text, random))
  return kind === 6 ? flip(Buffer.from(text), random) : Buffer.concat([Buffer.from(text), random.bytes(4)])
}

/** Text for a header or a path: hostile, and still one line. */
export function oddLine(random: Random): string {
  const lines = [
    '',
    '*',
    'null',
    '-1',
    '2026-07-28',
    '1999-01-01',
    '=?base64?4pyT?=',
    '=?base64?!!!?=',
    '=?base64?',
    'tools/call',
    'text/event-stream;q=0',
    '\u00e9\u00fc',
    'a'.repeat(4_000),
    '%00',
    '..%2f..%2f',
    'a,b,c',
    '"; drop',
    'http://evil.example',
    'https://localhost:1',
    'x'.repeat(random.below(64)),
  ]
  return random.pick(lines)
}
