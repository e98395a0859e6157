import { createServer as createTlsServer } from 'node:https'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { chmodSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../../test/world/folder.ts'
import { createTestTerminal } from '../../../test/world/terminal.ts'
import { makeAuthority } from '../../../test/world/wire/tls.ts'
import { runCli } from '../run.ts'
import { readLines } from './lines.ts'
import { maxMessageBytes } from './wire.ts'

interface Seen {
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly body: { id?: unknown; method?: string; params?: Record<string, unknown> }
}

type Script = (seen: Seen, res: ServerResponse, count: number) => void

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A server that does what the script says. */
async function startServer(script: Script) {
  const seen: Seen[] = []
  const server = createServer((req, res) => {
    let text = ''
    req.on('data', (chunk: Buffer) => (text += chunk.toString()))
    req.on('end', () => {
      const body = text === '' ? {} : (JSON.parse(text) as Seen['body'])
      const one = { method: req.method ?? '', headers: req.headers, body }
      seen.push(one)
      script(one, res, seen.length)
    })
  })
  return { url: `http://127.0.0.1:${await listen(server)}/mcp`, seen }
}

function answer(res: ServerResponse, body: unknown, headers: Record<string, string> = {}): void {
  res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function result(seen: Seen, value: object = {}): object {
  return { jsonrpc: '2.0', id: seen.body.id, result: value }
}

const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } }
const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }
const ping = { jsonrpc: '2.0', id: 2, method: 'ping' }
const negotiated = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 's', version: '1' } }

/** Speaks legacy as far as a session goes, and leaves the rest to the script. */
function withSession(script: Script): Script {
  return (seen, res, count) => {
    if (seen.body.method === 'initialize')
      return answer(res, result(seen, negotiated), { 'mcp-session-id': `s${count}` })
    if (seen.body.id === undefined && seen.body.method !== undefined) return void res.writeHead(202).end()
    if (seen.method === 'DELETE') return void res.writeHead(200).end()
    script(seen, res, count)
  }
}

function lines(...messages: (object | string)[]): string {
  return messages.map((each) => `${typeof each === 'string' ? each : JSON.stringify(each)}\n`).join('')
}

function printed(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const up = () => Promise.reject(new Error('it is up'))

/** Runs the bridge over this input to its end. */
async function bridge(
  url: string,
  stdin: string,
  environment: Record<string, string> = { CASTELLAN_TOKEN: 'cst_test' },
) {
  const terminal = createTestTerminal({ stdin, environment, home: temporaryFolder() })
  const code = await runCli(['bridge', url], { up, terminal })
  return { code, messages: printed(terminal.out()), err: terminal.err() }
}

/** Starts the bridge with somebody at the other end who goes on writing. */
function openBridge(url: string) {
  const terminal = createTestTerminal({ hasPerson: true, environment: { CASTELLAN_TOKEN: 'cst_test' } })
  const ended = runCli(['bridge', url], { up, terminal })
  onTestFinished(async () => {
    terminal.signal('SIGTERM')
    await ended
  })
  return {
    ended,
    terminal,
    say: (...messages: object[]) => terminal.type(lines(...messages)),
    messages: () => printed(terminal.out()),
  }
}

test('lines that come all at once are answered in order of their session, and the session is ended', async () => {
  const server = await startServer(
    withSession((seen, res) => (seen.method === 'GET' ? void res.writeHead(405).end() : answer(res, result(seen)))),
  )
  const { code, messages } = await bridge(server.url, lines(initialize, initialized, ping))
  expect(code).toBe(0)
  expect(messages).toEqual([
    { jsonrpc: '2.0', id: 1, result: negotiated },
    { jsonrpc: '2.0', id: 2, result: {} },
  ])
  const [first, ...later] = server.seen.map(({ method, headers }) => [
    method,
    headers['mcp-session-id'],
    headers['mcp-protocol-version'],
  ])
  expect(first).toEqual(['POST', undefined, undefined])
  expect(later).toContainEqual(['GET', 's1', '2025-11-25'])
  expect(later.at(-1)).toEqual(['DELETE', 's1', '2025-11-25'])
  expect(server.seen.every(({ headers }) => headers.authorization === 'Bearer cst_test')).toBe(true)
})

test('numbers beyond double precision and members nobody knows pass as they were written, on one line', async () => {
  const server = await startServer(
    (seen, res) =>
      void res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(
          `{\n "jsonrpc":"2.0",\n "id":${Number(seen.body.id)},\n "result":{"n":123456789012345678901234567890,"x":{"y":[]}}\n}`,
        ),
  )
  const terminal = createTestTerminal({ stdin: lines(ping), environment: { CASTELLAN_TOKEN: 'cst_test' } })
  await runCli(['bridge', server.url], { up, terminal })
  expect(terminal.out()).toBe(
    '{  "jsonrpc":"2.0",  "id":2,  "result":{"n":123456789012345678901234567890,"x":{"y":[]}} }\n',
  )
})

test.each([
  [
    401,
    { code: -32600, message: 'the access token has expired', data: { code: 'identity.token-expired' } },
    'castellan connect',
  ],
  [403, undefined, 'the server is up and says no'],
  [429, undefined, 'wait, then try again (7 s)'],
  [503, undefined, 'wait, then try again (7 s)'],
  [500, undefined, 'castellan doctor'],
])('a status of %i is an error under the id of the request, with what to do', async (status, error, hint) => {
  const server = await startServer(
    (_seen, res) =>
      void res
        .writeHead(status, { 'content-type': 'application/json', 'retry-after': '7' })
        .end(error === undefined ? '<html>' : JSON.stringify({ jsonrpc: '2.0', error })),
  )
  const { messages } = await bridge(server.url, lines(ping))
  expect(messages).toHaveLength(1)
  expect(messages[0]).toMatchObject({ id: 2, error: { code: error?.code ?? status, data: { status } } })
  expect(JSON.stringify(messages[0])).toContain(hint)
})

test('a server that is not there, and one that redirects, are errors, and no token follows the redirect', async () => {
  const other = await startServer((seen, res) => answer(res, result(seen)))
  const server = await startServer((_seen, res) => void res.writeHead(307, { location: other.url }).end())
  expect((await bridge(server.url, lines(ping))).messages).toMatchObject([{ id: 2, error: { code: 307 } }])
  expect(other.seen).toEqual([])
  const { messages } = await bridge('http://127.0.0.1:1/mcp', lines(ping))
  expect(messages).toMatchObject([
    { id: 2, error: { data: { code: 'bridge.unreachable', hint: expect.stringContaining('castellan up') } } },
  ])
})

test('a certificate of an unknown authority is named as such, with the variable that helps', async () => {
  const leaf = await (await makeAuthority()).issue()
  const server = createTlsServer({ cert: leaf.certificate, key: leaf.key })
  const port = await listen(server)
  const { messages } = await bridge(`https://localhost:${port}/mcp`, lines(ping))
  expect(messages).toMatchObject([
    { id: 2, error: { data: { code: 'bridge.tls-refused', hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') } } },
  ])
})

test('a stream that breaks before its answer is read on from its last position', async () => {
  const server = await startServer(
    withSession((seen, res) => {
      if (seen.method === 'GET' && seen.headers['last-event-id'] === undefined) return void res.writeHead(405).end()
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      if (seen.method === 'POST') {
        res.write('id: e1\nretry: 5\ndata: \n\n')
        res.write(`id: e2\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n`)
        return void setTimeout(() => res.destroy(), 20)
      }
      res.end(`id: e3\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: 2, result: { late: true } })}\n\n`)
    }),
  )
  const { messages } = await bridge(server.url, lines(initialize, initialized, ping))
  expect(messages.slice(1)).toEqual([
    { jsonrpc: '2.0', method: 'notifications/message', params: {} },
    { jsonrpc: '2.0', id: 2, result: { late: true } },
  ])
  expect(server.seen.find(({ headers }) => headers['last-event-id'] !== undefined)?.headers['last-event-id']).toBe('e2')
})

test('a stream without positions that breaks is an error under the id, and nothing is sent twice', async () => {
  const server = await startServer((_seen, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write(': hello\n\n')
    setTimeout(() => res.destroy(), 20)
  })
  const { messages } = await bridge(server.url, lines(ping))
  expect(messages).toMatchObject([{ id: 2, error: { data: { code: expect.stringMatching(/^bridge\./) } } }])
  expect(server.seen).toHaveLength(1)
})

test('a session that the server forgot is begun again with the words of the client, and the request is repeated', async () => {
  const server = await startServer(
    withSession((seen, res) => {
      if (seen.method === 'GET') return void res.writeHead(405).end()
      if (seen.headers['mcp-session-id'] === 's1') return void res.writeHead(404).end()
      answer(res, result(seen, { session: seen.headers['mcp-session-id'] }))
    }),
  )
  const { messages } = await bridge(server.url, lines(initialize, initialized, ping))
  expect(messages).toHaveLength(2)
  expect(messages[1]).toMatchObject({ id: 2, result: { session: expect.stringMatching(/^s[2-9]$/) } })
  const openings = server.seen.filter(({ body }) => body.method === 'initialize')
  expect(openings.map(({ body }) => body.params)).toEqual([initialize.params, initialize.params])
})

test('what the server asks and says of its own accord reaches the client, and its answer reaches the server', async () => {
  const server = await startServer(
    withSession((seen, res, count) => {
      if (seen.method !== 'GET') return void res.writeHead(202).end()
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write(
        `retry: 10\nid: g${count}\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: `ask-${count}`, method: 'roots/list' })}\n\n`,
      )
      if (seen.headers['last-event-id'] === undefined) res.end()
    }),
  )
  const { say, messages } = openBridge(server.url)
  say(initialize, initialized)
  await expect.poll(() => messages().filter(({ method }) => method === 'roots/list').length).toBe(2)
  say({ jsonrpc: '2.0', id: messages()[1]?.['id'], result: { roots: [] } })
  await expect.poll(() => server.seen.find(({ body }) => 'result' in body)?.headers['mcp-session-id']).toBe('s1')
  const positions = server.seen.filter(({ method }) => method === 'GET').map(({ headers }) => headers['last-event-id'])
  expect(positions).toEqual([undefined, expect.stringMatching(/^g\d$/)])
})

test('a line that is no message and a batch are answered, and what follows them is served', async () => {
  const server = await startServer((seen, res) => answer(res, result(seen)))
  const { messages } = await bridge(server.url, lines('{"half', '[]', { jsonrpc: '1.0', id: 3, method: 'x' }, '', ping))
  expect(messages.map(({ error }) => (error as { code: number } | undefined)?.code)).toEqual([
    -32700,
    -32600,
    -32600,
    undefined,
  ])
  expect(server.seen.map(({ body }) => body.id)).toEqual([2])
})

test('an id that is in use is not sent a second time', async () => {
  const waiting: (() => void)[] = []
  const server = await startServer((seen, res) => void waiting.push(() => answer(res, result(seen))))
  const { say, messages } = openBridge(server.url)
  say(ping, ping)
  await expect.poll(() => messages().length).toBe(1)
  expect(messages()[0]).toMatchObject({ id: 2, error: { data: { code: 'bridge.busy' } } })
  await expect.poll(() => waiting.length).toBe(1)
  waiting.forEach((go) => go())
  await expect.poll(() => messages()[1]).toMatchObject({ id: 2, result: {} })
})

test.each(['ftp://gateway.example/mcp', 'gateway', 'http://name:secret@localhost/mcp'])(
  '%s is not bridged to',
  async (url) => {
    const { code, err, messages } = await bridge(url, lines(ping))
    expect([code, messages]).toEqual([1, []])
    expect(err).toContain('bridge.bad-url')
    expect(err).not.toContain('secret')
  },
)

test('a token never goes unencrypted to another machine, and is taken from no file that others can read', async () => {
  expect((await bridge('http://gateway.example/mcp', lines(ping))).err).toContain('bridge.plaintext-url')
  const path = join(temporaryFolder(), 'token')
  writeFileSync(path, 'cst_file\n', { mode: 0o600 })
  const server = await startServer((seen, res) => answer(res, result(seen)))
  const terminal = () => createTestTerminal({ stdin: lines(ping) })
  expect(await runCli(['bridge', server.url, '--token-file', path], { up, terminal: terminal() })).toBe(0)
  expect(server.seen[0]?.headers.authorization).toBe('Bearer cst_file')
  chmodSync(path, 0o644)
  const open = terminal()
  expect(await runCli(['bridge', server.url, '--token-file', path], { up, terminal: open })).toBe(1)
  expect(open.err()).toContain('bridge.token-exposed')
})

test('a token file that was written anew is read again when the server refuses the old token', async () => {
  const path = join(temporaryFolder(), 'token')
  writeFileSync(path, 'cst_old', { mode: 0o600 })
  const server = await startServer((seen, res) => {
    if (seen.headers.authorization === 'Bearer cst_new') return answer(res, result(seen))
    writeFileSync(path, 'cst_new')
    res.writeHead(401).end()
  })
  const terminal = createTestTerminal({ stdin: lines(ping) })
  await runCli(['bridge', server.url, '--token-file', path], { up, terminal })
  expect(printed(terminal.out())).toEqual([{ jsonrpc: '2.0', id: 2, result: {} }])
})

test('a line at the limit is read, one past it is named, and the lines around it are untouched', async () => {
  const text = `abc\n${'x'.repeat(10)}\n${'y'.repeat(11)}\nend`
  for (const size of [1, 4, 100]) {
    const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
    const read: string[] = []
    for await (const line of readLines(Readable.from(chunks.map((each) => Buffer.from(each))), 10))
      read.push(String(line))
    expect(read).toEqual(['abc', 'x'.repeat(10), 'too long', 'end'])
  }
})

test('a message of the server at the limit passes, one past it is an error', async () => {
  const frame = (id: number, fill: number) => `{"jsonrpc":"2.0","id":${id},"result":{"x":"${'x'.repeat(fill)}"}}`
  const fill = maxMessageBytes - frame(1, 0).length
  const server = await startServer((seen, res) => {
    const id = Number(seen.body.id)
    res.writeHead(200, { 'content-type': 'application/json' }).end(frame(id, id === 1 ? fill : fill + 1))
  })
  const terminal = createTestTerminal({ stdin: lines({ ...ping, id: 1 }, ping), environment: { CASTELLAN_TOKEN: 't' } })
  await runCli(['bridge', server.url], { up, terminal })
  const written = terminal.out().split('\n')
  expect(written.map((line) => line.length).toSorted((one, other) => other - one)[0]).toBe(maxMessageBytes)
  expect(terminal.out()).toContain('bridge.message-too-large')
})

test('as many requests as may be open are sent, and one more is answered at once', async () => {
  const server = await startServer((_seen, res) =>
    res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
  )
  const { say, messages } = openBridge(server.url)
  say(...Array.from({ length: 513 }, (_, id) => ({ ...ping, id })))
  await expect.poll(() => messages()).toMatchObject([{ id: 512, error: { data: { code: 'bridge.busy' } } }])
  await expect.poll(() => server.seen.length, { timeout: 10_000 }).toBe(512)
})

test('a signal to stop ends open requests and the session at once', async () => {
  const server = await startServer(
    withSession((seen, res) => (seen.method === 'GET' ? void res.writeHead(405).end() : undefined)),
  )
  const { say, terminal, ended } = openBridge(server.url)
  say(initialize, initialized, ping)
  await expect.poll(() => server.seen.some(({ body }) => body.method === 'ping')).toBe(true)
  terminal.signal('SIGTERM')
  expect(await ended).toBe(0)
  expect(server.seen.at(-1)?.method).toBe('DELETE')
})
