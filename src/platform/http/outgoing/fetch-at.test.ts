import { createServer, type RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { createFetchAt, whyNotAt } from './fetch-at.ts'

async function serve(answer: RequestListener): Promise<URL> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => server.close().closeAllConnections())
  const address = server.address()
  return new URL(`http://localhost:${typeof address === 'object' && address !== null ? address.port : 0}`)
}

const limits = (url: URL) => ({
  hosts: new Set([url.host]),
  allowsPlainLoopback: true,
  maxBytes: 100,
  timeoutMs: 1_000,
})

test('an answer of as many bytes as are allowed is whole, one of a byte more is none', async () => {
  let size = 100
  const url = await serve((_req, res) => void res.end('x'.repeat(size)))
  const ask = createFetchAt(limits(url))
  expect((await (await ask(url.href)).text()).length).toBe(100)
  size = 101
  await expect(ask(url.href)).rejects.toThrow('more than 100 bytes')
})

test('an answer that does not come, or does not end, is given up in time', async () => {
  const silent = await serve(() => undefined)
  const endless = await serve((_req, res) => {
    res.write('x')
  })
  for (const url of [silent, endless]) {
    const startedAt = performance.now()
    await expect(createFetchAt({ ...limits(url), timeoutMs: 200 })(url.href)).rejects.toThrow()
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  }
})

test.each([301, 302, 303, 307, 308])('no redirect is followed, whatever was sent (%i)', async (status) => {
  const seen: string[] = []
  const url = await serve((req, res) => {
    seen.push(req.url ?? '')
    res.writeHead(status, { location: '/elsewhere' }).end()
  })
  const request = { method: 'POST', body: 'secret', headers: { authorization: 'Basic x' } }
  await expect(createFetchAt(limits(url))(url.href, request)).rejects.toThrow('redirect')
  expect(seen).toEqual(['/'])
})

const hosts = new Set(['login.castle.test', 'localhost:9', '10.0.0.1'])

test.each([
  ['https://login.castle.test/token', undefined],
  ['https://LOGIN.castle.test:443/token', undefined],
  ['http://localhost:9/token', undefined],
  ['http://login.castle.test/token', 'plain-http'],
  ['http://10.0.0.1/token', 'plain-http'],
  ['https://login.castle.test:8443/token', 'foreign-host'],
  ['https://login.castle.test.evil.test/', 'foreign-host'],
  ['https://login.castle.test@evil.test/', 'unreadable'],
  ['https://evil.test#login.castle.test', 'unreadable'],
  ['javascript:alert(1)', 'plain-http'],
  ['/token', 'unreadable'],
])('%s may be asked: %s', (address, problem) => {
  expect(whyNotAt(address, { hosts, allowsPlainLoopback: true })).toBe(problem)
})

test('HTTP to this machine needs to be allowed', () => {
  expect(whyNotAt('http://localhost:9/', { hosts, allowsPlainLoopback: false })).toBe('plain-http')
})
