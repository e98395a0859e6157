/** A request that breaks two rungs at once is answered by the earlier one. Every pair of rungs is tried, in both eras. */
import { expect, test } from 'vitest'
import { forAllTests } from '../ending.ts'
import { type Era, goodCall, type Knock, openDoors, respelled, withHeaders, withMembers, withParams } from './knock.ts'

const doors = forAllTests(() => openDoors())

interface Broken {
  readonly rung: string
  readonly era?: Era
  /** Applied before the text is spelt, so that later ones in this list do not undo it. */
  readonly breaking: (knock: Knock) => Knock
  readonly status: number
  readonly code: number
  /** What is broken by it as well, and could not be told apart. */
  readonly hides?: readonly string[]
}

const protocolVersion = 'io.modelcontextprotocol/protocolVersion'

function withTool(knock: Knock, name: string): Knock {
  const named = knock.headers['mcp-name'] === undefined ? knock : withHeaders(knock, { 'mcp-name': name })
  return withParams(named, { name })
}

/** In the order in which they are asked. */
const rungs: readonly Broken[] = [
  { rung: 'Host', breaking: (knock) => withHeaders(knock, { host: 'evil.example' }), status: 403, code: 403 },
  {
    rung: 'Origin',
    breaking: (knock) => withHeaders(knock, { origin: 'https://evil.example' }),
    status: 403,
    code: 403,
  },
  { rung: 'path', breaking: (knock) => ({ ...knock, path: '/servers' }), status: 404, code: 404 },
  { rung: 'token', breaking: (knock) => withHeaders(knock, { authorization: 'Bearer x' }), status: 401, code: 401 },
  { rung: 'HTTP method', breaking: (knock) => ({ ...knock, httpMethod: 'PUT' }), status: 405, code: -32600 },
  {
    rung: 'content type',
    breaking: (knock) => withHeaders(knock, { 'content-type': 'text/plain' }),
    status: 415,
    code: -32600,
  },
  { rung: 'accept', breaking: (knock) => withHeaders(knock, { accept: 'text/html' }), status: 406, code: -32600 },
  {
    rung: 'body limit',
    breaking: (knock) => respelled(knock, (text) => text + ' '.repeat(4 * 1024 * 1024)),
    status: 413,
    code: 413,
  },
  { rung: 'JSON', breaking: (knock) => respelled(knock, (text) => `${text}}`), status: 400, code: -32700 },
  {
    rung: 'one message',
    // WHY: a batch is one message more than any revision but 2025-03-26 has, which is what no header stands for.
    breaking: (knock) => {
      const version = knock.headers['mcp-protocol-version'] ?? '2025-11-25'
      return respelled(withHeaders(knock, { 'mcp-protocol-version': version }), (text) => `[${text.trim()}]`)
    },
    status: 400,
    code: -32600,
    hides: ['JSON-RPC'],
  },
  { rung: 'JSON-RPC', breaking: (knock) => withMembers(knock, { jsonrpc: '1.0' }), status: 400, code: -32600 },
  {
    rung: 'envelope',
    era: 'modern',
    breaking: (knock) => withParams(knock, { _meta: { [protocolVersion]: '2026-07-28' } }),
    status: 400,
    code: -32602,
  },
  {
    rung: 'mirrors',
    breaking: (knock) => withHeaders(knock, { 'mcp-method': 'tools/list' }),
    status: 400,
    code: -32020,
  },
  {
    rung: 'revision',
    era: 'modern',
    breaking: (knock) => {
      const meta = (knock.message?.['params'] as { _meta?: object } | undefined)?._meta
      return withHeaders(withParams(knock, { _meta: { ...meta, [protocolVersion]: '2031-01-01' } }), {
        'mcp-protocol-version': '2031-01-01',
      })
    },
    status: 400,
    code: -32022,
    hides: ['session'],
  },
  {
    rung: 'revision',
    era: 'legacy',
    breaking: (knock) => withHeaders(knock, { 'mcp-protocol-version': '1999-01-01' }),
    status: 400,
    code: -32600,
  },
  {
    rung: 'session',
    era: 'legacy',
    breaking: (knock) => withHeaders(knock, { 'mcp-session-id': 'guessed' }),
    status: 404,
    code: -32600,
  },
  {
    rung: 'method',
    breaking: (knock) => {
      const { 'mcp-method': mirrored, 'mcp-name': named } = knock.headers
      const headers = mirrored === 'tools/call' ? { 'mcp-method': 'tools/forget', 'mcp-name': named } : {}
      return withHeaders(withMembers(knock, { method: 'tools/forget' }), headers)
    },
    status: 0,
    code: -32601,
    hides: ['tool'],
  },
  {
    rung: 'server',
    breaking: (knock) => {
      const isForged = knock.headers['authorization'] === 'Bearer x'
      return isForged ? knock : withHeaders(knock, { authorization: `Bearer ${doors().tokens.mallory}` })
    },
    status: 404,
    code: 404,
  },
  { rung: 'tool', breaking: (knock) => withTool(knock, 'no_tool'), status: 200, code: -32602 },
  {
    rung: 'mirrored argument',
    breaking: (knock) => withHeaders(knock, { 'mcp-param-region': 'us' }),
    status: 400,
    code: -32020,
  },
]

function statusOf({ rung, status }: Broken, era: Era): number {
  return rung === 'method' ? (era === 'modern' ? 404 : 200) : status
}

for (const era of ['legacy', 'modern'] as const) {
  const asked = rungs.filter((each) => each.era === undefined || each.era === era)
  const pairs = asked.flatMap((earlier, index) =>
    asked
      .slice(index + 1)
      .filter((later) => earlier.hides?.includes(later.rung) !== true)
      .map((later) => ({ earlier, later })),
  )

  test.each(asked)(`$rung, broken alone, is answered (${era})`, async (broken) => {
    const heard = await doors().knock(broken.breaking(goodCall(era, doors().tokens.ben, 'regional')))
    expect(heard, heard.text).toMatchObject({ status: statusOf(broken, era), json: { error: { code: broken.code } } })
  })

  test(`of two broken rungs the earlier one answers, in ${pairs.length} pairs (${era})`, async () => {
    const before = doors().arrived()
    for (const { earlier, later } of pairs) {
      // WHY: what changes the text comes after what changes the message; the message is spelt last.
      const knock = earlier.breaking(later.breaking(goodCall(era, doors().tokens.ben, 'regional')))
      const heard = await doors().knock(knock)
      const what = `${earlier.rung} before ${later.rung}: ${heard.text}`
      expect(heard, what).toMatchObject({ status: statusOf(earlier, era), json: { error: { code: earlier.code } } })
    }
    expect(doors().arrived()).toBe(before)
  })
}
