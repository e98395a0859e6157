/**
 * A pattern that can match one text in many ways tries them all before it gives up (CVE-2026-0621). Mallory and a hostile
 * server send texts made for that: in headers, in paths, in messages, in the schemas and templates of tools and resources.
 */
import { expect, test } from 'vitest'
import { readTree } from '../architecture/tree.ts'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { send } from '../world/edge/send.ts'
import { callTool, listTools } from '../world/messages.ts'

/** Rooms whose patterns see what clients and servers send. */
const onTheDataPlane =
  /^src\/(?:kernel|protocol|gateway|upstream|policy|audit|secrets|identity|platform\/(?:http|telemetry))\//

interface Pattern {
  readonly at: string
  readonly pattern: RegExp
}

function patterns(): Pattern[] {
  const sources = readTree().sources.filter(({ path }) => onTheDataPlane.test(path) && !path.endsWith('.test.ts'))
  return sources.flatMap((source) =>
    source.nodes.flatMap((node) => {
      const literal = node['regex'] as { pattern: string; flags: string } | undefined
      if (node.type !== 'Literal' || literal === undefined) return []
      return [
        { at: `${source.path}:${source.lineAt(node.start)}`, pattern: new RegExp(literal.pattern, literal.flags) },
      ]
    }),
  )
}

const begins = ['', 'bearer ', '=?base64?', 'a256gcm.', '0', '://', 'a@', '+1']
const repeats = [
  'a',
  'A',
  '0',
  ' ',
  '\t',
  '-',
  '_',
  '.',
  ':',
  '/',
  '=',
  '"',
  '\\',
  '{',
  '%',
  '?',
  '[',
  ']',
  '\u00a0',
  '\u200d',
  'é',
  '\n',
  'a.',
  'a-',
  '0-',
  '0 ',
  'a:',
  ': ',
  '={',
  'a@',
  '0.',
  'a=',
  '1a',
  ' \t',
  '\\"',
  '--',
  'a0_',
  '+a',
  '(1',
  '000-',
  'file:',
  '\r\n',
]
const ends = ['', '!', '\n', ' x']
const length = 10_000
const budgetMs = 40

function timeOf(pattern: RegExp, text: string): number {
  const started = performance.now()
  pattern.lastIndex = 0
  if (pattern.global) text.replace(pattern, '')
  else pattern.test(text)
  return performance.now() - started
}

/** WHY: other work on the machine only ever adds time, so the shortest of three tries is the pattern's own. */
function isSlow(pattern: RegExp, text: string): boolean {
  for (let tries = 0; tries < 3; tries += 1) if (timeOf(pattern, text) < budgetMs) return false
  return true
}

proves(
  'MSG-4',
  'no pattern of the data plane takes longer than its text explains, whatever the text is made of',
  () => {
    const slow: string[] = []
    const all = patterns()
    for (const { at, pattern } of all) {
      for (const repeat of repeats) {
        const middle = repeat.repeat(length / repeat.length)
        const evil = begins.flatMap((begin) => ends.map((end) => [begin, end] as const))
        const found = evil.find(([begin, end]) => isSlow(pattern, begin + middle + end))
        if (found !== undefined)
          slow.push(`${at} ${String(pattern)} on ${JSON.stringify([found[0], repeat, found[1]])}`)
      }
    }
    expect(all.length).toBeGreaterThan(70)
    expect(slow).toEqual([])
  },
  300_000,
)

test('a pattern that is slow is found by these texts', () => {
  for (const [slow, characters] of [
    [/^(a+)+$/, 24],
    [/^\s+|\s+$/g, length],
    [/%.*$/, length],
  ] as const) {
    const hit = repeats.some((repeat) =>
      ['', '0'].some((begin) => {
        const middle = begin + repeat.repeat(characters / repeat.length)
        return ends.some((end) => isSlow(slow, middle + end))
      }),
    )
    expect(hit, String(slow)).toBe(true)
  }
})

const evil = `${'a'.repeat(40)}!`
const catastrophic = {
  name: 'catastrophic',
  description: 'Has patterns that nobody may run.',
  inputSchema: {
    type: 'object',
    properties: { text: { type: 'string', pattern: '^(a+)+$', 'x-mcp-header': 'Text' } },
    patternProperties: { '^(([a-z])+.)+[A-Z]([a-z])+$': { type: 'string' } },
  },
}

const hostileHeaders: readonly Record<string, string>[] = [
  { accept: `${'application/json;q=0.5,'.repeat(400)}text/event-stream` },
  { accept: `${';'.repeat(9_000)}, */*` },
  { 'content-type': `application/json${';charset="utf-8"'.repeat(300)}${' ;'.repeat(1_000)}` },
  { authorization: `Bearer ${' '.repeat(9_000)}x y` },
  { authorization: `Bearer ${'a'.repeat(4_000)}${'='.repeat(4_000)}x` },
  { 'mcp-name': `=?base64?${'='.repeat(9_000)}` },
  { 'mcp-session-id': `a256gcm.${'-'.repeat(9_000)}` },
  { origin: `http://${'a.'.repeat(4_000)}` },
  { 'x-forwarded-for': '[::1%'.repeat(1_500) },
  { traceparent: `00-${'0'.repeat(9_000)}` },
]
const hostileUris = ['{'.repeat(50_000), '{a}'.repeat(20_000), `file:${':'.repeat(60_000)}`, 'a:'.repeat(30_000)]
const hostilePaths = [
  `/servers/${'a'.repeat(1_800)}/mcp`,
  `/servers/books/mcp${'/'.repeat(1_800)}`,
  '/servers'.repeat(240),
]

proves(
  'MSG-4',
  'patterns in schemas and templates of a server are never run, and hostile headers cost nothing',
  async () => {
    const world = await startWorld()
    world.books.tools = [...world.books.tools, catastrophic]
    await world.ana.api('POST', '/upstreams/books/review', {})
    await world.ana.api('POST', '/upstreams/books/tools/approve', { tools: 'all' })
    const token = await world.ana.mint('books')
    const read = (uri: string) => ({ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri } })
    const good = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    }
    const used = process.cpuUsage()
    for (const args of [{ text: evil }, { [evil]: evil }, { text: 'x'.repeat(3_000_000) }]) {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'catastrophic', arguments: args } }
      expect((await world.post({ token, message })).status).toBe(200)
    }
    for (const uri of hostileUris) {
      expect((await world.post({ token, message: read(uri) })).status).toBeLessThan(500)
    }
    expect((await world.post({ token, message: listTools })).status).toBe(200)
    const body = JSON.stringify(callTool('echo'))
    for (const more of hostileHeaders) {
      const answer = await send(world.gatewayUrl, {
        method: 'POST',
        path: '/servers/books/mcp',
        headers: { ...good, ...more },
        body,
      })
      expect(answer.status, JSON.stringify(more).slice(0, 60)).toBeLessThan(500)
    }
    for (const path of hostilePaths) {
      expect((await send(world.gatewayUrl, { method: 'POST', path, headers: good, body })).status).toBe(404)
    }
    const { user, system } = process.cpuUsage(used)
    expect((user + system) / 1_000_000).toBeLessThan(6)
    expect(
      world.books.calls('tools/call').filter(({ message }) => message?.params?.['name'] === 'catastrophic'),
    ).toHaveLength(3)
    expect((await world.ledger('&event=call.refused')).length).toBeGreaterThan(5)
  },
)
