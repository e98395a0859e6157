import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createListener } from './listener.ts'
import { readBody } from './read-body.ts'

const maxBytes = 1_000

/** What `readBody` made of a request that is sent as written. */
async function bodyOf(text: string, options: { leavesAfterMs?: number } = {}): Promise<string> {
  let tell: (outcome: string) => void
  const outcome = new Promise<string>((resolve) => (tell = resolve))
  const listener = createListener({
    name: 'gateway',
    port: 0,
    addresses: ['127.0.0.1'],
    handler: (request, response) => {
      void readBody(request, maxBytes).then((body) => {
        tell(typeof body === 'string' ? body : `${body.byteLength} bytes`)
        response.end()
      })
    },
  })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  socket.write(text)
  if (options.leavesAfterMs !== undefined) setTimeout(() => socket.destroy(), options.leavesAfterMs)
  return outcome
}

const start = 'POST / HTTP/1.1\r\nHost: x\r\n'
const declared = (bytes: number) => `${start}Content-Length: ${bytes}\r\n\r\n${'a'.repeat(bytes)}`
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'a'.repeat(bytes)}\r\n`
const chunked = (...sizes: number[]) =>
  `${start}Transfer-Encoding: chunked\r\n\r\n${sizes.map(chunk).join('')}0\r\n\r\n`

test.each([
  ['no body', `${start}\r\n`, '0 bytes'],
  ['a body one byte below the limit', declared(maxBytes - 1), '999 bytes'],
  ['a body at the limit', declared(maxBytes), '1000 bytes'],
  ['a declared body past the limit', declared(maxBytes + 1), 'too-large'],
  ['a declared body past the limit that never comes', `${start}Content-Length: 999999\r\n\r\n`, 'too-large'],
  ['chunks one byte below the limit', chunked(999), '999 bytes'],
  ['chunks at the limit', chunked(600, 400), '1000 bytes'],
  ['chunks past the limit', chunked(600, 401), 'too-large'],
  ['chunks past the limit without an end', `${start}Transfer-Encoding: chunked\r\n\r\n${chunk(1_001)}`, 'too-large'],
  [
    'a body that says it is not compressed',
    `${start}Content-Encoding: Identity\r\nContent-Length: 1\r\n\r\na`,
    '1 bytes',
  ],
  ...['gzip', 'br', 'deflate', 'zstd', 'identity, gzip', 'x', ''].map((encoding) => [
    `a body encoded as ${JSON.stringify(encoding)}`,
    `${start}Content-Encoding: ${encoding}\r\nContent-Length: 1\r\n\r\na`,
    'encoded',
  ]),
])('%s', async (_what, text, outcome) => {
  expect(await bodyOf(text)).toBe(outcome)
})

test('a client that leaves in the middle has aborted', async () => {
  expect(await bodyOf(`${start}Content-Length: 100\r\n\r\nabc`, { leavesAfterMs: 50 })).toBe('aborted')
})
