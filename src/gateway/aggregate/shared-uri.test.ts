import { expect, test } from 'vitest'
import { shareUri, splitUri } from './shared-uri.ts'

test.each([
  ['file:///a/b c', 'notes+file:///a/b c'],
  ['https://example.com/x?y#z', 'notes+https://example.com/x?y#z'],
  ['git+ssh://host/repo', 'notes+git+ssh://host/repo'],
  ['db://{table}/{id}', 'notes+db://{table}/{id}'],
  ['{+any}', 'notes+{+any}'],
  ['books+test://open', 'notes+books+test://open'],
  ['plain words', 'notes+plain words'],
  ['ui://board', 'ui://notes/board'],
  ['ui:///board', 'ui://notes//board'],
  ['ui://books/board', 'ui://notes/books/board'],
  ['ui://', 'ui://notes/'],
  ['UI://board', 'notes+UI://board'],
])('%j is %j, and back', (own, shared) => {
  expect(shareUri('notes', own)).toBe(shared)
  expect(splitUri(shared)).toEqual({ upstream: 'notes', own })
})

test.each(['', 'file', 'file:///a', '+file:///a', 'notes+', 'ui://', 'ui://board', 'ui:///board'])(
  '%j names no server',
  (uri) => {
    const split = splitUri(uri)
    // WHY: what is before the mark is then no name that the catalog takes.
    expect(split === undefined || !/^[a-z][a-z0-9-]*$/.test(split.upstream)).toBe(true)
  },
)
