import { expect, onTestFinished, test } from 'vitest'
import { type HostileRequest, hostileRequests } from '../../../test/world/wire/framing-corpus.ts'
import { headOf, openRaw } from '../../../test/world/wire/raw-client.ts'
import { createListener, type ListenerOptions, type TurnedAway } from './listener.ts'

interface Seen {
  readonly line: string
  body: string
}

/** A listener whose handler keeps what it was handed and answers when the body has ended. */
async function listening(options: Partial<ListenerOptions> = {}) {
  const seen: Seen[] = []
  const turnedAway: TurnedAway[] = []
  const listener = createListener({
    name: 'gateway',
    port: 0,
    handler(request, response) {
      const one = { line: `${request.method} ${request.url}`, body: '' }
      seen.push(one)
      request.on('data', (chunk: Buffer) => (one.body += chunk.toString()))
      request.once('end', () => response.end('ok'))
    },
    onTurnedAway: (each) => turnedAway.push(each),
    ...options,
  })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  return { seen, turnedAway, port }
}

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'
const corpus = hostileRequests({ target: '/outer', host: 'localhost', lines: [], smuggled })

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

test('each hostile request is refused and closed; nobody behind sees a second one', { timeout: 60_000 }, async () => {
  const { seen, turnedAway, port } = await listening()
  const outcomes: HostileRequest[] = []
  for (const [wrong, text] of corpus) {
    const client = await openRaw({ port })
    client.socket.write(bytes(text))
    await client.closed
    const statuses = client.statuses()
    outcomes.push([wrong, statuses.length === 1 ? text : client.answer.text, statuses[0] ?? 0])
    expect(client.answer.text).not.toMatch(/node:|llhttp|HPE_|parse/i)
  }
  expect(outcomes).toEqual(corpus)
  // WHY: what is wrong with a body comes out after its head was handed over.
  expect(seen.filter(({ line }) => line.includes('smuggled'))).toEqual([])
  expect(seen.filter(({ body }) => body.includes('smuggled'))).toEqual([])
  expect(turnedAway).toHaveLength(corpus.length)
  expect(new Set(turnedAway.map(({ reason, address }) => `${reason} ${address}`))).toEqual(
    new Set(['malformed 127.0.0.1']),
  )
})

test('the same requests, byte by byte, end the same', { timeout: 60_000 }, async () => {
  const { seen, port } = await listening()
  const short = corpus.filter(([, text]) => text.length < 600)
  await Promise.all(
    short.map(async ([wrong, text, status]) => {
      const client = await openRaw({ port })
      client.socket.setNoDelay(true)
      for (const byte of bytes(text)) {
        if (client.answer.isClosed || client.socket.destroyed) break
        await new Promise((resolve) => client.socket.write(Buffer.of(byte), resolve))
      }
      await client.closed
      expect([wrong, client.statuses()]).toEqual([wrong, [status]])
    }),
  )
  expect(seen.filter(({ line, body }) => `${line}${body}`.includes('smuggled'))).toEqual([])
})

const post = 'POST /outer HTTP/1.1\r\nHost: localhost\r\n'
const outer = 'POST /outer'
const second = 'GET /smuggled'

test.each<[string, string, string[], string[], number[]]>([
  [
    'chunks with an extension',
    `${post}Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n0\r\n\r\n`,
    [outer],
    ['ab'],
    [200],
  ],
  [
    'a size with zeros before it',
    `${post}Transfer-Encoding: chunked\r\n\r\n0002\r\nab\r\n000\r\n\r\n`,
    [outer],
    ['ab'],
    [200],
  ],
  ['an encoding in capitals', `${post}TRANSFER-ENCODING: Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n`, [outer], ['ab'], [200]],
  ['a trailer', `${post}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nHost: other\r\n\r\n`, [outer], ['ab'], [200]],
  [
    'an underscore in a name',
    `${post}Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nab`,
    [outer],
    ['ab'],
    [200],
  ],
  ['spaces around its length', `${post}Content-Length:  2 \t\r\n\r\nab`, [outer], ['ab'], [200]],
  [
    'a body on GET',
    `GET /outer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab`,
    ['GET /outer'],
    ['ab'],
    [200],
  ],
  ['line feeds before it', `\r\n\r\n${post}Content-Length: 2\r\n\r\nab`, [outer], ['ab'], [200]],
  ['the path of another host', `GET //other/ HTTP/1.1\r\nHost: localhost\r\n\r\n`, ['GET //other/'], [''], [200]],
])('a request with %s has one end, and the next one is the next', async (_what, text, lines, bodies, statuses) => {
  const { seen, port } = await listening()
  const client = await openRaw({ port })
  client.socket.write(text + smuggled)
  await expect.poll(() => client.statuses()).toEqual([...statuses, 200])
  expect(seen.map(({ line }) => line)).toEqual([...lines, second])
  expect(seen.map(({ body }) => body)).toEqual([...bodies, ''])
})

test.each([
  ['HTTP/1.0', 'GET /outer HTTP/1.0\r\nHost: localhost\r\n\r\n'],
  ['a wish to close', 'GET /outer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
  [
    'a wish for WebSockets',
    'GET /outer HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  ],
  [
    'a wish for HTTP/2',
    'GET /outer HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
  ],
])('a request with %s is answered, and is the last of its connection', async (_what, text) => {
  const { seen, port } = await listening()
  const client = await openRaw({ port })
  client.socket.write(text + smuggled)
  await client.closed
  expect(client.statuses()).toEqual([200])
  expect(client.answer.text.toLowerCase()).toContain('connection: close')
  expect(seen.map(({ line }) => line)).toEqual(['GET /outer'])
})

test('what is refused unread is not asked for: 100 Continue is said when somebody reads', async () => {
  const refusing = await listening({ handler: (_request, response) => void response.writeHead(401).end() })
  const refused = await openRaw({ port: refusing.port })
  const expecting = `${post}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`
  refused.socket.write(expecting)
  await refused.closed
  expect(refused.statuses()).toEqual([401])
  expect(refused.answer.text.toLowerCase()).toContain('connection: close')

  const { readBody } = await import('./read-body.ts')
  const reading = await listening({
    handler: (request, response) => void readBody(request, 10).then((body) => response.end(body)),
  })
  const read = await openRaw({ port: reading.port })
  read.socket.write(expecting)
  await expect.poll(() => read.statuses()).toEqual([100])
  read.socket.write('ab')
  await expect.poll(() => read.statuses()).toEqual([100, 200])
  expect(read.answer.text).toMatch(/\r\n\r\nab$/)

  const old = await openRaw({ port: reading.port })
  old.socket.write(expecting.replace('HTTP/1.1', 'HTTP/1.0'))
  old.socket.write('ab')
  await old.closed
  expect(old.statuses()).toEqual([200])
})

test('a client that ends in the middle of its request is answered 400, or not at all', async () => {
  const { seen, port } = await listening()
  for (const text of [`${post}Content-Length: 5\r\n\r\nab`, 'GET /outer HTTP/1.1\r\nHos', `${post}X-A: b\r\n`]) {
    const client = await openRaw({ port })
    client.socket.end(text)
    await client.closed
    expect(client.statuses().every((status) => status === 400)).toBe(true)
  }
  expect(seen).toHaveLength(1)
})

test('requests in a row are answered in their order, up to the ceiling; one more ends the connection', async () => {
  const waiting: (() => void)[] = []
  const lines: string[] = []
  const { port } = await listening({
    ceilings: { maxPipelined: 4 },
    handler(request, response) {
      lines.push(request.url ?? '')
      waiting.push(() => response.end(`(${request.url})`))
    },
  })
  const row = (count: number) =>
    Array.from({ length: count }, (_, at) => `GET /${at} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join('')
  const fits = await openRaw({ port })
  fits.socket.write(row(4))
  await expect.poll(() => waiting.length).toBe(4)
  for (const answer of waiting.splice(0).toReversed()) answer()
  await expect.poll(() => fits.statuses()).toEqual([200, 200, 200, 200])
  expect(fits.answer.text.match(/\(\/\d\)/g)).toEqual(['(/0)', '(/1)', '(/2)', '(/3)'])
  lines.splice(0)

  const over = await openRaw({ port })
  over.socket.write(row(2_000))
  await expect.poll(() => waiting.length).toBe(4)
  for (const answer of waiting.splice(0)) answer()
  await over.closed
  expect(over.statuses()).toEqual([200, 200, 200, 200, 503])
  expect(lines).toEqual(['/0', '/1', '/2', '/3'])
})

test('the last request that a connection may carry says so', async () => {
  const { seen, port } = await listening({ ceilings: { maxRequestsPerConnection: 2 } })
  const client = await openRaw({ port })
  client.socket.write(headOf() + headOf() + headOf())
  await client.closed
  expect(client.statuses()).toEqual([200, 200])
  expect(client.answer.text.match(/connection: close/gi)).toHaveLength(1)
  expect(seen).toHaveLength(2)
})

test('a flaw behind a call in flight does not end the call when its answer ends the connection anyway', async () => {
  let answer: () => void = () => undefined
  const { port } = await listening({ handler: (_request, response) => (answer = () => response.end('done')) as never })
  const client = await openRaw({ port })
  client.socket.write(headOf('Connection: close') + 'garbage\0\r\n')
  await new Promise((resolve) => setTimeout(resolve, 50))
  answer()
  await client.closed
  expect(client.statuses()).toEqual([200])
  expect(client.answer.text).toContain('done')
})
