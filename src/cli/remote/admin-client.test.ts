import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { openAdminClient, readAdminUrl } from './admin-client.ts'
import { adminApi } from './api.ts'

const closing: (() => void)[] = []
afterEach(() => closing.splice(0).forEach((close) => close()))

/** A server that is not ours: it answers everything alike and remembers what it was sent. */
async function startServer(status: number, body: string, headers: Record<string, string> = {}) {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = []
  const server = createServer((request, answer) => {
    seen.push({ url: request.url, headers: request.headers })
    answer.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

const problem = (code: string) => JSON.stringify({ code, title: 'says', hint: 'hint', request_id: 'r1' })

test.each([
  [400, 2],
  [401, 3],
  [403, 5],
  [404, 6],
  [409, 7],
  [412, 7],
  [422, 2],
  [429, 2],
  [500, 2],
  [503, 2],
  [504, 9],
])('status %i ends with exit code %i', async (status, exitCode) => {
  const { url } = await startServer(status, problem('some.code'))
  const client = await openAdminClient(url, 'css_token')
  await expect(client.call('GET', '/api/v1/me')).rejects.toMatchObject({
    exitCode,
    code: 'some.code',
    message: 'says',
    requestId: 'r1',
  })
  await client.close()
})

test('the fields that are wrong are named', async () => {
  const errors = [{ pointer: '#/body/name', detail: 'too long' }]
  const { url } = await startServer(400, JSON.stringify({ code: 'a.b', title: 'wrong', hint: 'h', errors }))
  const client = await openAdminClient(url)
  await expect(client.call('POST', '/x', { body: {} })).rejects.toMatchObject({ message: 'wrong (name: too long)' })
  await client.close()
})

test('a wait that the server asks for is passed on', async () => {
  const { url } = await startServer(
    429,
    JSON.stringify({ code: 'identity.sign-in-throttled', title: 'many', retry_after_seconds: 60 }),
  )
  const client = await openAdminClient(url)
  await expect(client.call('GET', '/x')).rejects.toMatchObject({ hint: 'wait 60 s, then try again' })
  await client.close()
})

test('nobody there ends with exit code 4', async () => {
  const { url } = await startServer(200, '{}')
  closing.splice(0).forEach((close) => close())
  const client = await openAdminClient(url)
  await expect(client.call('GET', '/x')).rejects.toMatchObject({ exitCode: 4, code: 'cli.unreachable' })
  await client.close()
})

test.each(['<html>', 'null', '"text"'])('an answer that is not the API is an error of the server: %s', async (body) => {
  const { url } = await startServer(502, body)
  const client = await openAdminClient(url)
  await expect(client.call('GET', '/x')).rejects.toMatchObject({ exitCode: 2, code: 'cli.answer-unreadable' })
  await client.close()
})

test('a redirect is not followed, so the session stays where it belongs', async () => {
  const thief = await startServer(200, '{}')
  const { url, seen } = await startServer(307, '', { location: `${thief.url}/steal` })
  const client = await openAdminClient(url, 'css_token')
  await expect(client.call('GET', '/api/v1/me')).rejects.toMatchObject({ exitCode: 2 })
  await client.close()
  expect(seen[0]?.headers.authorization).toBe('Bearer css_token')
  expect(thief.seen).toEqual([])
})

test('a name in a path cannot reach another path', async () => {
  const { url, seen } = await startServer(200, '{"items":[]}')
  const client = await openAdminClient(url)
  const { upstreams } = adminApi(client)
  await upstreams.differences('../../people?x=1#y', {})
  expect(seen[0]?.url).toBe('/api/v1/upstreams/..%2F..%2Fpeople%3Fx%3D1%23y/differences')
  for (const name of ['', '.', '..']) {
    expect(() => upstreams.remove(name)).toThrow(expect.objectContaining({ code: 'cli.bad-name', exitCode: 6 }))
  }
  await client.close()
  expect(seen).toHaveLength(1)
})

test.each(['http://localhost:8091', 'http://127.0.0.1:8091', 'http://[::1]:8091', 'https://gw.example'])(
  '%s is an admin URL',
  (text) => {
    expect(readAdminUrl(text)).toBe(new URL(text).origin)
  },
)

test.each([
  ['http://gw.example:8091', 'cli.plaintext-admin-url'],
  ['http://localhost.evil.example', 'cli.plaintext-admin-url'],
  ['http://127.0.0.1.evil.example', 'cli.plaintext-admin-url'],
  ['ftp://localhost', 'cli.bad-admin-url'],
  ['http://ana:secret@localhost:8091', 'cli.bad-admin-url'],
  ['localhost:8091', 'cli.bad-admin-url'],
  ['', 'cli.bad-admin-url'],
])('%s is refused before anything is sent', (text, code) => {
  expect(() => readAdminUrl(text)).toThrow(expect.objectContaining({ code, exitCode: 1 }))
})
