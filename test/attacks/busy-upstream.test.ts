/**
 * A server has too much to do, or says so to drive its clients away: it answers 503 or 429, to a call and to the question
 * which tools it has before that, in words of its own. And one person opens as many calls to a server on this machine as
 * there are processes for. Who calls must hear that it is worth trying again and when, and never that a tool does not exist.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { type LedgerEntry, startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool, initialize, modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked } from '../world/servers/lying-upstream.ts'
import { putBehind } from '../world/servers/peers.ts'

type Posted = Parameters<World['post']>[0]
type Method = 'tools/call' | 'tools/list'

const refusing = (status: number, of: Method) => (asked: Asked) => {
  if (asked.method !== of) return answerHonestly(asked)
  asked.res.writeHead(status, { 'content-type': 'application/json', 'retry-after': '86400' })
  asked.res.end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, error: { code: 1, message: 'own words' } }))
}

const busy = { code: 503, data: { code: 'gateway.upstream-busy', retryAfterSeconds: 2 } }
const busyError: unknown = expect.objectContaining({ code: 503, data: expect.objectContaining(busy.data) as unknown })
const modernCall = (name: string) =>
  modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } })

const isOfEcho = ({ target }: LedgerEntry): boolean => target?.upstream === 'liar' && target.name === 'echo'

/** Each way on which a client calls `echo` of the liar. */
async function waysIn(world: World): Promise<Readonly<Record<string, Posted>>> {
  const [token, joint] = [await world.ana.mint('liar'), await world.ana.mint('/mcp')]
  await world.ana.api('POST', '/bundles', { name: 'work', upstreams: ['liar'] })
  const bundled = await world.ana.mint('/bundles/work/mcp')
  const opened = await world.post({ token: joint, upstream: '/mcp', message: initialize })
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  return {
    legacy: { token, upstream: 'liar', message: callTool('echo') },
    modern: { token, upstream: 'liar', ...modernCall('echo') },
    'legacy, joint': { token: joint, upstream: '/mcp', message: callTool('liar__echo'), headers: session },
    'modern, joint': { token: joint, upstream: '/mcp', ...modernCall('liar__echo') },
    'modern, bundle': { token: bundled, upstream: '/bundles/work/mcp', ...modernCall('liar__echo') },
  }
}

proves(
  ['UPS-1', 'JNT-3'],
  'a server that is busy is said to be busy, with the time to come back, on every way to it',
  async () => {
    const world = await startWorld()
    const liar = await addLyingUpstream(world)
    const ways = await waysIn(world)
    let refused = 0
    for (const [status, of] of [
      [503, 'tools/list'],
      [429, 'tools/call'],
      [503, 'tools/call'],
    ] as const) {
      liar.answer = refusing(status, of)
      for (const [way, call] of Object.entries(ways)) {
        const answer = await world.post(call)
        expect(answer.status, `${way}, ${of}`).toBe(503)
        expect(answer.headers.get('retry-after')).toBe('2')
        expect(answer.body, way).toMatchObject({ id: 1, error: busy })
        expect(JSON.stringify(answer.body)).toMatch(/server `liar` has as much to do/)
        expect(JSON.stringify(answer.body)).not.toContain('own words')
        refused += 1
      }
    }
    await expect
      .poll(async () => (await world.ledger('&refusal=gateway.upstream-busy')).filter(isOfEcho).length)
      .toBe(refused)
    expect(liar.of('tools/call')).toHaveLength(2 * Object.keys(ways).length)

    liar.answer = answerHonestly
    for (const call of Object.values(ways)) expect((await world.post(call)).body).toHaveProperty('result')
  },
  60_000,
)

proves(
  ['UPS-1', 'JNT-3'],
  'in a list of several servers, and in a batch, who is busy is named, and the others answer',
  async () => {
    const world = await startWorld()
    const liar = await addLyingUpstream(world)
    const [token, joint] = [await world.ana.mint('liar'), await world.ana.mint('/mcp')]
    liar.answer = refusing(503, 'tools/list')
    const list = modern({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    const { body } = await world.post({ token: joint, upstream: '/mcp', ...list })
    const result = body['result'] as { tools: { name: string }[]; _meta: Record<string, unknown> }
    expect(result.tools.map(({ name }) => name)).toContain('books__echo')
    expect(result._meta['castellan/absent']).toMatchObject([{ server: 'liar', code: 'gateway.upstream-busy' }])

    const both = [callTool('echo', 'x', 1), { jsonrpc: '2.0', id: 2, method: 'prompts/list' }]
    const batch = await world.post({ token, upstream: 'liar', message: both })
    expect(batch.status).toBe(200)
    expect(Object.values(batch.body)).toContainEqual(expect.objectContaining({ id: 1, error: busyError }))
    expect(liar.of('tools/call')).toEqual([])
    await entriesOf(world, 'refusal=gateway.upstream-busy', 2)
  },
)

proves(
  ['UPS-1', 'PIN-2'],
  'a server that cannot say which tools it has has failed: the tool is neither called nor said to be none',
  async () => {
    const world = await startWorld()
    const liar = await addLyingUpstream(world)
    const ways = Object.entries(await waysIn(world)).filter(([way]) => way !== 'legacy, joint')
    const answer = (asked: Asked, status: number, body: object) =>
      asked.res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const failures: Readonly<Record<string, (asked: Asked) => unknown>> = {
      'server error': (asked) => asked.res.writeHead(500).end(),
      'bad gateway': (asked) => asked.res.writeHead(502).end('<html>'),
      'credentials refused': (asked) => asked.res.writeHead(401).end(),
      'no message': (asked) => asked.res.writeHead(200).end(),
      'no list': (asked) => answer(asked, 200, { jsonrpc: '2.0', id: asked.id, result: { tools: 'none' } }),
      error: (asked) => answer(asked, 200, { jsonrpc: '2.0', id: asked.id, error: { code: -32603, message: 'x' } }),
      'error of nothing': (asked) => answer(asked, 400, { jsonrpc: '2.0', error: { code: 1, message: 'x' } }),
    }
    for (const [what, fail] of Object.entries(failures)) {
      liar.answer = (asked) => (asked.method === 'tools/list' ? fail(asked) : answerHonestly(asked))
      for (const [way, call] of ways) {
        const { body } = await world.post(call)
        const told = { error: { code: -32603, data: { code: 'gateway.upstream-misbehaved' } } }
        expect(body, `${what}, ${way}`).toMatchObject(told)
      }
    }
    expect(liar.of('tools/call')).toEqual([])
    await entriesOf(world, 'refusal=gateway.upstream-misbehaved', ways.length * Object.keys(failures).length)

    liar.answer = answerHonestly
    for (const [, call] of ways) expect((await world.post(call)).body).toHaveProperty('result')
    liar.answer = (asked) => {
      if (asked.method !== 'tools/list') return answerHonestly(asked)
      answer(asked, 404, { jsonrpc: '2.0', id: asked.id, error: { code: -32601, message: 'method not found' } })
    }
    world.clock.advance(60_000)
    const none = await world.post(ways[0]?.[1] as Posted)
    expect(none.body).toMatchObject({ error: { code: -32602, data: { code: 'gateway.not-granted' } } })
  },
  60_000,
)

const hanging = `
let rest = ''
const send = (m) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...m }) + '\\n')
const answer = ({ id, method, params }) => {
  if (id === undefined) return
  if (method === 'initialize')
    return send({ id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } } })
  if (method === 'tools/list') return send({ id, result: { tools: [{ name: 'hang', inputSchema: { type: 'object' } }] } })
  if (method !== 'tools/call') return send({ id, error: { code: -32601, message: 'method not found' } })
  setTimeout(() => send({ id, result: { content: [] } }), params.arguments.forMs)
}
process.stdin.on('data', (data) => {
  const lines = (rest + data).split('\\n')
  rest = lines.pop()
  for (const line of lines) answer(JSON.parse(line))
})
`
/** Processes of one server that one client has, each for one of its open calls. */
const mostAlone = 8

proves(
  ['LIM-2', 'UPS-1'],
  'as many calls as there may be processes for are carried out; one more is told when to come back',
  async () => {
    const world = await startWorld()
    await putBehind(world.ana, 'hanging', { command: [process.execPath, '-e', hanging] })
    for (const upstream of ['hanging', '/mcp']) {
      const token = await world.ana.mint(upstream)
      const name = upstream === '/mcp' ? 'hanging__hang' : 'hang'
      const call = (forMs: number) => {
        const made = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { forMs } } })
        const meta = (made.message['params'] as { _meta: Record<string, unknown> })['_meta']
        meta['io.modelcontextprotocol/clientCapabilities'] = { elicitation: {} }
        return world.post({ token, upstream, ...made })
      }
      expect((await call(0)).body).toHaveProperty('result')
      const open = Array.from({ length: mostAlone }, () => call(6_000))
      await sleep(3_000)
      const refused = await call(0)
      expect(refused.status).toBe(503)
      expect(refused.headers.get('retry-after')).toBe('2')
      expect(refused.body).toMatchObject({ error: busy })
      for (const { body } of await Promise.all(open)) expect(body).toHaveProperty('result')
      expect((await call(0)).body).toHaveProperty('result')
    }
    await entriesOf(world, 'refusal=gateway.upstream-busy', 2)
  },
  60_000,
)
