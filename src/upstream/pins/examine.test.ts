import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { examine as examineText } from './examine.ts'
import { maxSchemaDepth, maxSchemaValues, schemaProblem } from './schema-bounds.ts'

const plain = { name: 'read', description: 'Reads.', inputSchema: { type: 'object' } }
const examine = (tool: string, definition: Record<string, unknown>) =>
  examineText({ tool, definition, text: canonicalize(definition) ?? '' })
const kinds = (extra: Record<string, unknown>, tool = 'read') =>
  examine(tool, { ...plain, ...extra, name: tool }).map(({ kind }) => kind)
const withProperty = (schema: unknown) => ({ inputSchema: { type: 'object', properties: { a: schema } } })

test('a plain definition gives no reason', () => {
  expect(kinds({})).toEqual([])
  expect(kinds({ icons: [{ src: 'https://x.example/i.png' }, { src: 'data:image/png;base64,AAAA' }] })).toEqual([])
})

test.each([
  ['1 character', 'a', []],
  ['128 characters', 'a'.repeat(128), []],
  ['129 characters', 'a'.repeat(129), ['name']],
  ['all characters that may be', 'aZ09_.-', []],
  ['a space', 'read file', ['name']],
  ['a slash', 'read/file', ['name']],
  ['a letter of another script', 'r\u0435ad', ['name', 'mixed-scripts']],
])('a name of %s', (_what, tool, expected) => {
  expect(kinds({}, tool)).toEqual(expected)
})

test.each([
  'http://evil.example/schema.json',
  'https://evil.example/schema.json#/a',
  '//evil.example/x',
  'other.json',
  'file:///etc/passwd',
  'HTTP://evil.example',
  ' #/a',
])('a reference to %j is remote', ($ref) => {
  expect(kinds(withProperty({ $ref }))).toEqual(['remote-reference'])
  expect(kinds({ outputSchema: { items: [{ allOf: [{ $dynamicRef: $ref }] }] } })).toEqual(['remote-reference'])
  expect(kinds(withProperty({ default: { $ref } }))).toEqual(['remote-reference'])
})

test('references within the schema are its own', () => {
  expect(kinds(withProperty({ $ref: '#/$defs/b' }))).toEqual([])
  expect(kinds(withProperty({ $ref: '#' }))).toEqual([])
  const embedded = { $defs: { b: { $id: 'https://x.example/b' } }, $ref: 'https://x.example/b#/c' }
  expect(kinds({ inputSchema: embedded })).toEqual([])
  expect(kinds(withProperty({ properties: { $ref: { type: 'string' } } }))).toEqual([])
  const root = { $id: 'https://x.example/a', properties: { b: { $ref: 'https://x.example/a#/c' } } }
  expect(kinds({ outputSchema: root })).toEqual([])
})

test.each([
  ['an example', { examples: [{ $id: 'https://x.example/b' }] }],
  ['a member that nobody knows', { 'x-parts': { $id: 'https://x.example/b' } }],
  ['a constant', { const: { $id: 'https://x.example/b' } }],
])('a name that %s gives itself makes no reference its own', (_what, named) => {
  expect(kinds(withProperty({ ...named, $ref: 'https://x.example/b' }))).toEqual(['remote-reference'])
})

test('what one schema calls itself is remote for the other', () => {
  const schemas = { outputSchema: { $id: 'https://x.example/b' }, inputSchema: { $ref: 'https://x.example/b' } }
  expect(kinds(schemas)).toEqual(['remote-reference'])
})

test.each([
  ['http://json-schema.org/draft-07/schema#', []],
  ['https://json-schema.org/draft/2020-12/schema', []],
  ['https://json-schema.org/draft/2019-09/schema', []],
  ['https://evil.example/schema', ['remote-reference']],
  ['https://json-schema.org.evil.example/draft-07/schema', ['remote-reference']],
  ['http://json-schema.org/draft-07/schema#@evil.example', ['remote-reference']],
  ['schema.json', ['remote-reference']],
])('a schema in the dialect %j', ($schema, expected) => {
  expect(kinds({ inputSchema: { $schema, type: 'object' } })).toEqual(expected)
})

test.each([
  ['http', 'http://x.example/i.png'],
  ['javascript', 'javascript:alert(1)'],
  ['file', 'file:///etc/passwd'],
  ['data that is no image', 'data:text/html,<script>'],
  ['an image that can hold scripts', 'data:image/SVG+xml,<svg onload="alert(1)"/>'],
  ['a blob', 'blob:https://x.example/1'],
  ['credentials', 'https://a:b@x.example/i.png'],
  ['no url', 'i.png'],
  ['no text', 7],
  ['too much data', `data:image/png;base64,${'A'.repeat(64 * 1024)}`],
])('an icon with %s is a reason', (_what, src) => {
  expect(kinds({ icons: [{ src: 'https://x.example/i.png' }, { src }] })).toEqual(['icon'])
})

test('icons that are no list are a reason', () => {
  expect(kinds({ icons: { src: 'javascript:alert(1)' } })).toEqual(['icon'])
})

test('an icon may carry data up to its limit', () => {
  const head = 'data:image/png;base64,'
  const of = (chars: number) => ({ icons: [{ src: head + 'A'.repeat(chars - head.length) }] })
  expect(kinds(of(64 * 1024))).toEqual([])
  expect(kinds(of(64 * 1024 + 1))).toEqual(['icon'])
})

test('text that is not seen is found in every member, in names of members too, and what it spells is quoted', () => {
  for (const extra of [
    { description: 'Reads.\u200b' },
    { title: 'Read\u202e' },
    { annotations: { title: 'R\u2060ead' } },
    withProperty({ description: 'a\u200bpath' }),
    withProperty({ enum: ['a\u200b'] }),
    { inputSchema: { properties: { 'pa\u200bth': {} } } },
    { _meta: { 'x/y': ['\u{e0061}'] } },
  ]) {
    expect(kinds(extra)).toEqual(['hidden-text'])
  }
  const spelled = Array.from('obey', (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('')
  const [found] = examine('read', { ...plain, description: spelled })
  expect(found?.says).toBe('/description holds 4 characters that are not seen; they spell "obey"')
})

function nested(levels: number): unknown {
  return levels <= 1 ? 1 : { not: nested(levels - 1) }
}

test('a schema is read to its depth and its number of values, and no further', () => {
  expect(schemaProblem(nested(maxSchemaDepth))).toBeUndefined()
  expect(schemaProblem(nested(maxSchemaDepth + 1))).toContain('deeper')
  const of = (values: number) => ({ enum: Array.from({ length: values - 2 }, () => 1) })
  expect(schemaProblem(of(maxSchemaValues))).toBeUndefined()
  expect(schemaProblem(of(maxSchemaValues + 1))).toContain('more than')
  expect(kinds({ inputSchema: of(maxSchemaValues + 1) })).toEqual(['too-large'])
  expect(kinds({ outputSchema: nested(maxSchemaDepth + 1) })).toEqual(['too-large'])
})

function doubling(levels: number): Record<string, unknown> {
  const $defs = Object.fromEntries(
    Array.from({ length: levels }, (_, level) => {
      const $ref = `#/$defs/d${level + 1}`
      return [`d${level}`, { allOf: [{ $ref }, { $ref }] }]
    }),
  )
  return { $defs: { ...$defs, [`d${levels}`]: { type: 'string' } }, $ref: '#/$defs/d0' }
}

test('a schema that doubles itself by its references is too large, one that refers to itself is not', () => {
  expect(schemaProblem(doubling(3))).toBeUndefined()
  expect(schemaProblem(doubling(30))).toContain('unfolds')
  expect(schemaProblem({ $defs: { n: { properties: { next: { $ref: '#/$defs/n' } } } }, $ref: '#' })).toBeUndefined()
})

test('a long row of references ends', () => {
  const $defs = Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`d${at}`, { $ref: `#/$defs/d${at + 1}` }]))
  expect(schemaProblem({ $ref: '#/$defs/d0', $defs })).toContain('unfolds')
})

test('any definition is examined without a fault', () => {
  const schema = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'medium' },
      fc.jsonValue(),
      fc.record({ $ref: fc.constantFrom('#', '#/a', '#/$defs/x/y~1', 'x', '#/__proto__') }),
      fc.dictionary(fc.constantFrom('$defs', 'x', 'a', '$ref', '$id', 'allOf', '__proto__'), tie('node'), {
        maxKeys: 4,
      }),
    ),
  })).node
  fc.assert(
    fc.property(fc.string(), schema, fc.jsonValue(), (tool, inputSchema, icons) => {
      const reasons = examine(tool, { name: tool, inputSchema, icons })
      expect(reasons.every(({ says }) => says.length < 400)).toBe(true)
    }),
  )
})

const mirrored = (header: unknown, type = 'string') => ({ type, 'x-mcp-header': header })
const withProperties = (properties: Record<string, unknown>) => ({ inputSchema: { type: 'object', properties } })

test.each([
  ['a text', withProperty(mirrored('Region')), []],
  [
    'an integer, a boolean and a text further down',
    withProperties({
      a: mirrored('A', 'integer'),
      b: mirrored('B', 'boolean'),
      c: { type: 'object', properties: { d: mirrored('C') } },
    }),
    [],
  ],
  ['an argument of that name', withProperties({ 'x-mcp-header': { type: 'string' } }), []],
  ['no name', withProperty(mirrored('')), ['mirrored-header']],
  ['a number', withProperty(mirrored('A', 'number')), ['mirrored-header']],
  ['an object', withProperty(mirrored('A', 'object')), ['mirrored-header']],
  ['a list', withProperty(mirrored('A', 'array')), ['mirrored-header']],
  ['null', withProperty(mirrored('A', 'null')), ['mirrored-header']],
  ['a name with a space', withProperty(mirrored('My Region')), ['mirrored-header']],
  ['a name with a line break', withProperty(mirrored('A\r\nB')), ['mirrored-header']],
  ['a name that is no text', withProperty(mirrored(1)), ['mirrored-header']],
  ['the same name twice', withProperties({ a: mirrored('A'), b: mirrored('a') }), ['mirrored-header']],
  ['an item of a list', withProperty({ type: 'array', items: mirrored('A') }), ['mirrored-header']],
  ['one of several forms', withProperty({ oneOf: [mirrored('A')] }), ['mirrored-header']],
  [
    'a definition that is referred to',
    { inputSchema: { type: 'object', $defs: { a: mirrored('A') } } },
    ['mirrored-header'],
  ],
])('a header that repeats %s', (_what, extra, expected) => {
  expect(kinds(extra)).toEqual(expected)
})
