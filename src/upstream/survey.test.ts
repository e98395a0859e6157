import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#kernel'
import { listAllTools } from './survey.ts'
import { createBalance } from './balance/balance.ts'
import { defaultBalance } from './balance/settings.ts'
import { defaultLimits } from './transports/transport.ts'

interface Asked {
  readonly id?: number
  readonly method: string
  readonly params: { cursor?: string; _meta?: Record<string, unknown> }
}

type Answer = (asked: Asked, res: ServerResponse) => unknown

const handshake = { protocolVersion: '2025-11-25', capabilities: { tools: {} } }
const isHandshake = (asked: Asked) => asked.method === 'initialize'

/** An upstream that answers as told: with a result, or by itself when undefined is returned. */
async function survey(answer: Answer, timeoutMs = 5_000): Promise<{ tools: Promise<unknown[]>; methods: string[] }> {
  const methods: string[] = []
  const server = createServer((req, res) => void serve(req, res))
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of req) text += String(chunk)
    const asked = JSON.parse(text === '' ? '{"method":"DELETE"}' : text) as Asked
    methods.push(asked.method)
    if (asked.id === undefined) return void res.writeHead(202).end()
    const result = answer(asked, res)
    if (result === undefined) return
    const session: Record<string, string> = isHandshake(asked) ? { 'mcp-session-id': 's' } : {}
    res.writeHead(200, { 'content-type': 'application/json', ...session })
    res.end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, result }))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const transport = createBalance({ clock: systemClock, limits: defaultLimits, settings: { current: defaultBalance } })
  onTestFinished(async () => {
    await transport.close()
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  const upstream = { name: 'u', transport: 'http', url, environment: {}, isDemo: false } as const
  const tools = listAllTools({ upstream, exchange: (request) => transport.exchange(request), timeoutMs })
  tools.catch(() => undefined)
  return { tools, methods }
}

test('every page is read and the session ended', async () => {
  const { tools, methods } = await survey((asked) => {
    if (isHandshake(asked)) return handshake
    if (asked.params.cursor === undefined) return { tools: [{ name: 'a' }], nextCursor: '' }
    return asked.params.cursor === '' ? { tools: [{ name: 'b' }], nextCursor: 'x' } : { tools: [{ name: 'c' }] }
  })
  expect(await tools).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
  expect(methods).toEqual([
    'server/discover',
    'initialize',
    'notifications/initialized',
    'tools/list',
    'tools/list',
    'tools/list',
    'DELETE',
  ])
})

test('an upstream without tools is not asked for them', async () => {
  const { tools, methods } = await survey(() => ({ ...handshake, capabilities: {} }))
  expect(await tools).toEqual([])
  expect(methods).not.toContain('tools/list')
})

test('an upstream that knows no handshake is asked as 2026-07-28 does', async () => {
  const { tools, methods } = await survey((asked, res) => {
    const isModern = asked.params._meta?.['io.modelcontextprotocol/protocolVersion'] === '2026-07-28'
    if (isModern) return { resultType: 'complete', tools: [{ name: 'a' }] }
    const error = { code: -32022, message: 'unsupported protocol version' }
    res
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, error }))
    return undefined
  })
  expect(await tools).toEqual([{ name: 'a' }])
  expect(methods).toEqual(['server/discover', 'tools/list'])
})

test.each<[string, string, Answer]>([
  ['pages in a circle', 'upstream.misbehaved', () => ({ ...handshake, tools: [], nextCursor: 'x' })],
  ['pages without end', 'upstream.misbehaved', (asked) => ({ ...handshake, tools: [], nextCursor: String(asked.id) })],
  ['tools that are no list', 'upstream.misbehaved', () => ({ ...handshake, tools: {} })],
  ['a handshake without revision', 'upstream.misbehaved', () => ({ capabilities: {} })],
  ['credentials that are refused', 'upstream.credentials-refused', (_asked, res) => void res.writeHead(401).end()],
  ['a server that is down', 'upstream.unreachable', (_asked, res) => void res.writeHead(502).end()],
])('%s end in %s', async (_what, code, answer) => {
  await expect((await survey(answer)).tools).rejects.toMatchObject({ code })
})

test('1000 tools are read, one more is not', async () => {
  const of = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `t${index}` }))
  const offering = async (count: number) =>
    (await survey((asked) => (isHandshake(asked) ? handshake : { tools: of(count) }))).tools
  expect(await offering(1000)).toHaveLength(1000)
  await expect(offering(1001)).rejects.toMatchObject({ code: 'upstream.misbehaved' })
})

test('the whole review has one deadline', async () => {
  const { tools } = await survey((asked) => (isHandshake(asked) ? handshake : undefined), 200)
  await expect(tools).rejects.toMatchObject({ code: 'upstream.timeout' })
})
