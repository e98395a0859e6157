import { expect, onTestFinished, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { jsonAnswer, type UpstreamRequest } from '../transports/transport.ts'
import { defaultFaceLimits, type Face, heard } from './face.ts'
import { createMirrorBook } from './mirror-book.ts'
import { createFaceSessions } from './sessions.ts'

const introduction = { revision: '2025-11-25', capabilities: {}, clientInfo: undefined }

/** The tool mirrors so many of its arguments. */
function toolOf(name: string, mirrors: number): unknown {
  const properties = Object.fromEntries(
    Array.from({ length: mirrors }, (_, index) => [`a${index}`, { type: 'string', 'x-mcp-header': `A${index}` }]),
  )
  return { name, inputSchema: { properties } }
}

/** A book, and a server that lists what `list` gives for each page asked of it. */
function world(list: (page: number) => unknown) {
  const clock = createTestClock()
  const limits = defaultFaceLimits
  const sessions = createFaceSessions({ clock, limits })
  onTestFinished(() => sessions.close())
  const book = createMirrorBook(clock)
  const { signal } = new AbortController()
  let pages = 0
  const request: UpstreamRequest = {
    upstream: { name: 'books', transport: 'http', environment: {}, isDemo: false },
    ownerId: 'ada',
    era: 'legacy',
    httpMethod: 'POST',
    headers: {},
    signal,
    deadlineMs: 1_000,
  }
  const face: Face = {
    exchange: async ({ body }) => {
      const id = heard(String(body))?.id
      return jsonAnswer(200, JSON.stringify({ jsonrpc: '2.0', id, result: list((pages += 1)) }))
    },
    limits,
    nextId: () => `id-${pages}`,
    mirrors: book,
    translatesDefinitions: false,
    onRefused: () => undefined,
  }
  const session = sessions.open(request, introduction, {})
  if (session === undefined) throw new Error('there was no room')
  const countOf = async (tool: string) => (await book.of(face, { request, session, signal }, tool)).length
  return { clock, book, session, countOf, pages: () => pages }
}

test('so many arguments of a tool are mirrored, and no more', async () => {
  const { countOf } = world(() => ({ tools: [toolOf('most', 64), toolOf('more', 65)] }))
  expect([await countOf('most'), await countOf('more')]).toEqual([64, 64])
})

test('so many tools of a server are kept, and so many pages asked for', async () => {
  const thousand = Array.from({ length: 1_001 }, (_, index) => toolOf(`t${index}`, 1))
  const many = world(() => ({ tools: thousand }))
  expect([await many.countOf('t999'), await many.countOf('t1000')]).toEqual([1, 0])
  const endless = world(() => ({ tools: [], nextCursor: 'on' }))
  expect(await endless.countOf('t')).toBe(0)
  expect(endless.pages()).toBe(64)
})

test('what was learned holds for five minutes, and until it is forgotten', async () => {
  const { clock, book, session, countOf, pages } = world((page) => ({ tools: [toolOf('t', page)] }))
  expect(await countOf('t')).toBe(1)
  clock.advance(5 * 60_000 - 1)
  expect(await countOf('t')).toBe(1)
  clock.advance(1)
  expect(await countOf('t')).toBe(2)
  book.forget(session)
  expect(await countOf('t')).toBe(3)
  book.forgetAll('films')
  expect(await countOf('t')).toBe(3)
  book.forgetAll('books')
  expect([await countOf('t'), pages()]).toEqual([4, 4])
})
