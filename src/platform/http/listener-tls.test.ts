import { spawn, spawnSync } from 'node:child_process'
import { get, request as sendRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { type Authority, type KeyKind, type Leaf, makeAuthority } from '../../../test/world/wire/tls.ts'
import { headOf, openRaw } from '../../../test/world/wire/raw-client.ts'
import { createListener, type ListenerOptions } from './listener.ts'

interface Given extends Partial<ListenerOptions> {
  readonly key?: KeyKind
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

async function speaking({ key = 'ec-p256', minVersion = 'TLSv1.2', ...options }: Given = {}) {
  const authority = await makeAuthority()
  const leaf = await authority.issue({ key })
  const listener = createListener({
    name: 'gateway',
    port: 0,
    handler: (_request, response) => void response.end('ok'),
    tls: { ...leaf, minVersion },
    ...options,
  })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  return { authority, leaf, listener, port }
}

/** What a client with these options ends with: the protocol and suite, or the code of its error. */
function handshake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    socket.once('secureConnect', () => {
      resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'closed'))
    socket.once('close', () => resolve('closed'))
  })
}

function fetchOver(
  authority: Authority,
  port: number,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const ca = authority.certificate
    const to = { port, host: 'localhost', servername: 'localhost', ca, agent: false, headers }
    const request = get(to, (response) => {
      response.resume().once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }))
    })
    request.once('error', reject)
  })
}

const modernSuites = ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256']
const olderSuites = ['AES256-GCM-SHA384', 'CHACHA20-POLY1305', 'AES128-GCM-SHA256']

test.each<[KeyKind, string]>([
  ['ec-p256', 'ECDSA'],
  ['rsa-2048', 'RSA'],
])('with a key of %s each of our suites is spoken', async (key, kind) => {
  const { port } = await speaking({ key })
  for (const ciphers of modernSuites) {
    expect(await handshake(port, { ciphers, minVersion: 'TLSv1.3' })).toBe(`TLSv1.3 ${ciphers}`)
  }
  for (const suite of olderSuites) {
    const ciphers = `ECDHE-${kind}-${suite}`
    expect(await handshake(port, { ciphers, maxVersion: 'TLSv1.2' })).toBe(`TLSv1.2 ${ciphers}`)
  }
})

/** An alert of the server: the client did offer it. */
const refused = /^ERR_SSL_(SSL\/TLS_ALERT_HANDSHAKE_FAILURE|TLSV1_ALERT_PROTOCOL_VERSION)$/

test.each<KeyKind>(['ec-p256', 'rsa-2048'])('with a key of %s nothing else is spoken', async (key) => {
  const { port } = await speaking({ key })
  const others = [
    ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA', 'ECDHE-ECDSA-AES256-SHA384'],
    ['ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA256', 'ECDHE-RSA-AES256-SHA', 'ECDHE-RSA-AES256-SHA384'],
    ['ECDHE-ARIA128-GCM-SHA256', 'ECDHE-ECDSA-ARIA256-GCM-SHA384', 'ECDHE-ECDSA-CAMELLIA128-SHA256'],
    ['ECDHE-ECDSA-AES128-CCM', 'ECDHE-ECDSA-AES256-CCM8', 'AES128-GCM-SHA256', 'AES256-GCM-SHA384'],
    ['AES128-SHA', 'AES256-SHA256', 'DHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-CHACHA20-POLY1305'],
  ].flat()
  for (const suite of others) {
    const ciphers = `${suite}:@SECLEVEL=0`
    expect([suite, await handshake(port, { ciphers, maxVersion: 'TLSv1.2' })]).toEqual([
      suite,
      expect.stringMatching(refused),
    ])
  }
  expect(await handshake(port, { ciphers: 'TLS_AES_128_CCM_SHA256', minVersion: 'TLSv1.3' })).toMatch(refused)
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    const old = { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' }
    expect([version, await handshake(port, old)]).toEqual([version, expect.stringMatching(refused)])
  }
})

test('where TLS 1.3 is asked for, 1.2 is refused', async () => {
  const { port } = await speaking({ minVersion: 'TLSv1.3' })
  expect(await handshake(port, { maxVersion: 'TLSv1.2' })).toMatch(refused)
  expect(await handshake(port, {})).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384')
})

test('our order of suites counts, and keys are exchanged in a way that outlives quantum computers', async () => {
  const { port } = await speaking()
  const weakestFirst = { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384' }
  expect(await handshake(port, { ...weakestFirst, maxVersion: 'TLSv1.2' })).toContain('AES256-GCM')
  const client = await openRaw({ port, tls: { rejectUnauthorized: false } })
  expect((client.socket as TLSSocket).getEphemeralKeyInfo()).toMatchObject({ name: 'X25519MLKEM768' })
  for (const ecdhCurve of ['X25519', 'P-256', 'P-384']) {
    expect(await handshake(port, { ecdhCurve })).toContain('TLSv1.3')
  }
})

test('a client cannot renegotiate', async () => {
  const { port } = await speaking()
  const { socket, answer, closed } = await openRaw({ port, tls: { rejectUnauthorized: false, maxVersion: 'TLSv1.2' } })
  const failed = new Promise((resolve) => (socket as TLSSocket).renegotiate({}, resolve))
  expect(await Promise.race([failed, closed])).not.toBeNull()
  expect(answer.text).toBe('')
})

const openssl = spawnSync('openssl', ['version']).status === 0

test('another implementation sees the same', async (context) => {
  context.skip(!openssl, 'there is no `openssl` on this machine')
  const { port } = await speaking({ key: 'rsa-2048' })
  const client = (args: readonly string[]) =>
    new Promise<string>((resolve) => {
      const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args])
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
      child.stdin.on('error', () => undefined).end()
      child.once('close', () => resolve(/Cipher is (\S+)/.exec(text)?.[1] ?? 'nothing'))
    })
  expect(await client(['-tls1_3'])).toBe('TLS_AES_256_GCM_SHA384')
  expect(await client(['-tls1_2'])).toBe('ECDHE-RSA-AES256-GCM-SHA384')
  for (const args of [
    ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
    ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
    ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-SHA256'],
    ['-tls1_2', '-cipher', 'AES128-GCM-SHA256'],
    ['-tls1_2', '-cipher', 'DHE-RSA-AES128-GCM-SHA256'],
    ['-tls1_2', '-cipher', 'ARIA'],
  ]) {
    expect([args.join(' '), await client(args)]).toEqual([args.join(' '), '(NONE)'])
  }
})

test('only HTTP/1.1 is spoken: who asks for another protocol is refused, also by its first words', async () => {
  const { port } = await speaking()
  expect(await handshake(port, { ALPNProtocols: ['h2'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  const both = await openRaw({ port, tls: { rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] } })
  expect((both.socket as TLSSocket).alpnProtocol).toBe('http/1.1')
  both.socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0')
  await both.closed
  expect(both.statuses()).toEqual([400])
})

test('plain HTTP on this port is closed without a word', async () => {
  const { port } = await speaking()
  const plain = await openRaw({ port })
  plain.socket.write(headOf())
  await plain.closed
  expect(plain.answer.text).not.toMatch(/HTTP|SSL|error/i)
})

test('every answer tells browsers to stay with HTTPS, also a refusal; on localhost and plain HTTP none does', async () => {
  const { authority, port } = await speaking()
  const hsts = 'max-age=31536000'
  const answer = await fetchOver(authority, port, { host: 'castle.test' })
  expect(answer).toMatchObject({ status: 200, headers: { 'strict-transport-security': hsts } })
  for (const host of ['localhost', `localhost:${port}`]) {
    expect((await fetchOver(authority, port, { host })).headers).not.toHaveProperty('strict-transport-security')
  }
  const client = await openRaw({ port, tls: { ca: authority.certificate } })
  client.socket.write('TRACE / HTTP/1.1\r\nHost: castle.test\r\n\r\n')
  await client.closed
  expect(client.answer.text.toLowerCase()).toContain(`strict-transport-security: ${hsts}`)
  const plain = createListener({ name: 'gateway', port: 0, handler: (_request, response) => void response.end() })
  onTestFinished(() => plain.close(0))
  const unencrypted = await fetch(`http://127.0.0.1:${(await plain.listen()).port}/`)
  expect(unencrypted.headers.has('strict-transport-security')).toBe(false)
})

test.each([
  ['says nothing', ''],
  ['stops in the middle of its greeting', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
])('a client that %s is cut off', async (_what, text) => {
  const { port, listener } = await speaking({ ceilings: { headersTimeoutMs: 300, requestTimeoutMs: 600 } })
  const startedAt = performance.now()
  const client = await openRaw({ port })
  client.socket.write(Buffer.from(text, 'latin1'))
  await client.closed
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  await expect.poll(listener.connectionCount).toBe(0)
})

test('a client that shakes hands and says nothing is cut off', async () => {
  const { port } = await speaking({ ceilings: { headersTimeoutMs: 300, requestTimeoutMs: 600 } })
  const startedAt = performance.now()
  await (
    await openRaw({ port, tls: { rejectUnauthorized: false } })
  ).closed
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('connections are counted before their handshake, and the honest client is served again', async () => {
  const { port, authority, listener } = await speaking({ ceilings: { maxConnectionsPerAddress: 3 } })
  const silent = await Promise.all([1, 2, 3].map(() => openRaw({ port })))
  await expect.poll(listener.connectionCount).toBe(3)
  await expect(fetchOver(authority, port)).rejects.toThrow()
  silent[0]?.socket.destroy()
  await expect.poll(listener.connectionCount).toBe(2)
  expect((await fetchOver(authority, port)).status).toBe(200)
})

test('closing ends silent connections at once and lets a call in flight finish', async () => {
  let answer: () => void = () => undefined
  const { port, listener, authority } = await speaking({
    handler: (_request, response) => {
      answer = () => response.end('done')
    },
  })
  const silent = [await openRaw({ port }), await openRaw({ port, tls: { rejectUnauthorized: false } })]
  const text = new Promise<string>((resolve, reject) => {
    const request = sendRequest({ port, host: 'localhost', ca: authority.certificate, agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString()))
    })
    request.once('error', reject).end()
  })
  await expect.poll(listener.connectionCount).toBe(3)
  await sleep(50)
  const closing = listener.close(5_000)
  await Promise.all(silent.map(({ closed }) => closed))
  answer()
  expect(await text).toBe('done')
  await closing
})

test('a certificate that cannot be used is refused, and changes nothing in a listener that runs', async () => {
  const { authority, leaf, listener, port } = await speaking()
  const other = await authority.issue()
  const unfit = { certificate: other.certificate, key: leaf.key, minVersion: 'TLSv1.2' } as const
  const misuse = expect.objectContaining({ name: 'Misuse', code: 'http.tls-unusable' })
  expect(() => createListener({ name: 'gateway', port: 0, handler: () => undefined, tls: unfit })).toThrow(misuse)
  expect(() => listener.setTls(unfit)).toThrow(misuse)
  expect((await fetchOver(authority, port)).status).toBe(200)
})

test('a new certificate is for new connections, and open ones go on', async () => {
  const { authority, listener, port } = await speaking()
  const next: Leaf = await authority.issue({ commonName: 'second' })
  const subject = (client: { socket: unknown }) => (client.socket as TLSSocket).getPeerCertificate().subject.CN
  const before = await openRaw({ port, tls: { ca: authority.certificate } })
  listener.setTls({ ...next, minVersion: 'TLSv1.3' })
  const after = await openRaw({ port, tls: { ca: authority.certificate } })
  expect([subject(before), subject(after)]).toEqual(['localhost', 'second'])
  expect(await handshake(port, { maxVersion: 'TLSv1.2' })).toMatch(refused)
  for (const client of [before, after, before]) {
    const answered = client.statuses().length
    client.socket.write(headOf())
    await expect.poll(() => client.statuses()).toEqual(Array.from({ length: answered + 1 }, () => 200))
  }
})
