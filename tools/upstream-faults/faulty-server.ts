/**
 * A server that fails in every way of the fault model, each under a path of its own: it lists its tool like any other,
 * and answers calls as its path tells. `/open/<way>` tells how many answers of that way are open, `/become/<way>` turns
 * the path `/mcp/turn` into another way.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

type Answer = (res: ServerResponse, id: unknown) => void

const mebibyte = 1024 * 1024

function json(res: ServerResponse, message: unknown, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(message))
}

/** Writes the same text for ever, as fast as it is taken or at intervals. */
function forEver(res: ServerResponse, type: string, text: string | Buffer, everyMs?: number): void {
  res.writeHead(200, { 'content-type': type })
  if (everyMs !== undefined) {
    const timer = setInterval(() => res.write(text), everyMs)
    return void res.once('close', () => clearInterval(timer))
  }
  const go = (): void => {
    while (!res.destroyed) if (!res.write(text)) return void res.once('drain', go)
  }
  go()
}

const events = 'text/event-stream'
const note = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } })}\n\n`
const wideNote = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(mebibyte) } })}\n\n`

const bomb = gzipSync(Buffer.alloc(100 * mebibyte, ' '))

const ways: Readonly<Record<string, Answer>> = {
  honest: (res, id) => json(res, { jsonrpc: '2.0', id, result: { content: [], resultType: 'complete' } }),
  silent: () => undefined,
  'byte-by-byte': (res) => forEver(res, 'application/json', ' ', 1_000),
  'event-by-byte': (res) => forEver(res, events, 'x', 1_000),
  'never-ends': (res) => forEver(res, events, note, 100),
  'comments-only': (res) => forEver(res, events, ':\n\n', 100),
  'comment-flood': (res) => forEver(res, events, ':\n\n'.repeat(20_000)),
  'event-flood': (res) => forEver(res, events, note.repeat(1_000)),
  'json-of-100-mb': (res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    let left = 100
    const go = (): void => {
      while (left > 0 && !res.destroyed) {
        left -= 1
        if (!res.write(' '.repeat(mebibyte))) return void res.once('drain', go)
      }
      res.end('{}')
    }
    go()
  },
  'stream-of-10-gb': (res) => forEver(res, events, wideNote),
  'gzip-bomb': (res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    res.end(bomb)
  },
  'half-json': (res) => void res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":'),
  'wrong-id': (res) => json(res, { jsonrpc: '2.0', id: 'somebody-else', result: {} }),
  'request-of-its-own': (res) => json(res, { jsonrpc: '2.0', id: 1, method: 'sampling/createMessage', params: {} }),
  'broken-connection': (res) => void res.destroy(),
  'status-500': (res) => void res.writeHead(500).end('<html>stack trace</html>'),
}

const tool = { name: 'echo', description: 'Repeats.', inputSchema: { type: 'object' } }
const listed = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' }

function bookkeeping(method: unknown): Record<string, unknown> | undefined {
  if (method === 'server/discover') return { ...listed, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
  return method === 'tools/list' ? { ...listed, tools: [tool] } : undefined
}

const open = new Map<string, number>()
let turn = 'honest'

function count(way: string, res: ServerResponse): void {
  open.set(way, (open.get(way) ?? 0) + 1)
  res.once('close', () => open.set(way, (open.get(way) ?? 1) - 1))
}

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const [, kind, way = ''] = (req.url ?? '').split('/')
  if (kind === 'open') return json(res, { open: open.get(way) ?? 0 })
  if (kind === 'become') return json(res, { turn: (turn = way) })
  let text = ''
  for await (const chunk of req) text += String(chunk)
  const { id, method } = (text === '' ? {} : JSON.parse(text)) as { id?: unknown; method?: unknown }
  const result = bookkeeping(method)
  if (result !== undefined) return json(res, { jsonrpc: '2.0', id, result })
  if (method === 'initialize')
    return json(res, { jsonrpc: '2.0', id, error: { code: -32601, message: 'modern only' } }, 404)
  if (id === undefined) return void res.writeHead(202).end()
  const shown = way === 'turn' ? turn : way
  count(way, res)
  ways[shown]?.(res, id)
}

const server = createServer((req, res) => void serve(req, res).catch(() => res.destroy()))

server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  console.log(`listening on ${typeof address === 'object' ? address?.port : ''}`)
})
