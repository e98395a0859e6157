import { describe, expect, test } from 'vitest'
import type { ThingKind } from '../permissions.ts'
import { contains, parsePattern, type ResourcePattern, touches } from './resource-pattern.ts'

describe('a text is read as the pattern that it is', () => {
  test.each<[string, ResourcePattern]>([
    ['*', { covers: 'everything' }],
    ['castellan', { covers: 'admin-plane' }],
    ['books', { covers: 'server', upstream: 'books' }],
    ['castellan-books', { covers: 'server', upstream: 'castellan-books' }],
    ['books*', { covers: 'server', upstream: 'books*' }],
    ['books/*', { covers: 'contents', upstream: 'books' }],
    ['books/tools/*', { covers: 'kind', upstream: 'books', kind: 'Tool' }],
    ['books/resources/*', { covers: 'kind', upstream: 'books', kind: 'Resource' }],
    ['books/prompts/*', { covers: 'kind', upstream: 'books', kind: 'Prompt' }],
    ['books/tools/echo', { covers: 'one', upstream: 'books', kind: 'Tool', name: 'echo' }],
    ['books/tools/e*', { covers: 'one', upstream: 'books', kind: 'Tool', name: 'e*' }],
    ['books/tools/**', { covers: 'one', upstream: 'books', kind: 'Tool', name: '**' }],
    ['books/tools//', { covers: 'one', upstream: 'books', kind: 'Tool', name: '/' }],
    ['books/tools/*/x', { covers: 'one', upstream: 'books', kind: 'Tool', name: '*/x' }],
    ['books/resources/file:///a/b', { covers: 'one', upstream: 'books', kind: 'Resource', name: 'file:///a/b' }],
    ['books/prompts/hello', { covers: 'one', upstream: 'books', kind: 'Prompt', name: 'hello' }],
  ])('%s', (text, pattern) => expect(parsePattern(text)).toEqual(pattern))
})

test.each([
  '',
  '/',
  '/*',
  '/tools/echo',
  '*/*',
  '*/tools/echo',
  'castellan/*',
  'castellan/tools/echo',
  'books/',
  'books/tools',
  'books/toolsx',
  'books/tools/',
  'books/tool/echo',
  'books/Tools/echo',
  'books/*/echo',
  'books//echo',
  'books/**',
])('%o is no pattern', (text) => expect(parsePattern(text)).toBeUndefined())

interface Thing {
  readonly kind: ThingKind
  readonly upstream?: string
  readonly name?: string
}

const [upstreams, names] = [
  ['books', 'mail'],
  ['echo', 'send', 'other'],
]
const offered = ['Tool', 'Resource', 'Prompt'] as const
const everyThing: readonly Thing[] = [
  { kind: 'AdminPlane' },
  ...upstreams.flatMap((upstream): Thing[] => [
    { kind: 'Server', upstream },
    ...offered.flatMap((kind) => names.map((name) => ({ kind, upstream, name }))),
  ]),
]

/** Thing by thing, as the docstrings of the language say it. */
function isCovered(thing: Thing, pattern: ResourcePattern): boolean {
  if (pattern.covers === 'everything') return true
  if (pattern.covers === 'admin-plane') return thing.kind === 'AdminPlane'
  if (thing.upstream !== pattern.upstream) return false
  const isOffered = thing.kind !== 'Server'
  return {
    server: !isOffered,
    contents: isOffered,
    kind: 'kind' in pattern && thing.kind === pattern.kind,
    one: 'name' in pattern && thing.kind === pattern.kind && thing.name === pattern.name,
  }[pattern.covers]
}

const patterns: readonly ResourcePattern[] = [
  { covers: 'everything' },
  { covers: 'admin-plane' },
  ...upstreams.flatMap((upstream): ResourcePattern[] => [
    { covers: 'server', upstream },
    { covers: 'contents', upstream },
    ...offered.flatMap((kind): ResourcePattern[] => [
      { covers: 'kind', upstream, kind },
      ...names.slice(0, 2).map((name): ResourcePattern => ({ covers: 'one', upstream, kind, name })),
    ]),
  ]),
]

test('a pattern touches a kind exactly where it covers some thing of it', () => {
  for (const pattern of patterns) {
    for (const kind of ['AdminPlane', 'Server', ...offered] as const) {
      const expected = everyThing.some((thing) => thing.kind === kind && isCovered(thing, pattern))
      expect([pattern, kind, touches(pattern, kind)]).toEqual([pattern, kind, expected])
    }
  }
})

test('a pattern contains another exactly where it covers each thing that the other covers', () => {
  for (const wide of patterns) {
    for (const narrow of patterns) {
      const own = everyThing.filter((thing) => isCovered(thing, narrow))
      const expected = own.every((thing) => isCovered(thing, wide))
      expect([wide, narrow, contains(wide, narrow)]).toEqual([wide, narrow, expected])
    }
  }
})
