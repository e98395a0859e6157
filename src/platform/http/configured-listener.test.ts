import { connect } from 'node:tls'
import { createTelemetry } from '#platform/telemetry'
import { expect, onTestFinished, test } from 'vitest'
import { makeAuthority } from '../../../test/world/wire/tls.ts'
import { headOf, openRaw } from '../../../test/world/wire/raw-client.ts'
import { createConfiguredListener, type ListenerKeys } from './configured-listener.ts'

const limits = {
  headerBytes: 16_384,
  headersSeconds: 10,
  requestSeconds: 30,
  keepAliveSeconds: 65,
  connections: 100,
  connectionsPerAddress: 100,
}

const plain: ListenerKeys = {
  port: 0,
  addresses: ['127.0.0.1'],
  tlsMinVersion: 'TLSv1.2',
  dangerouslyAllowPlainHttp: false,
  trustedProxies: [],
}

async function openTelemetry() {
  const lines: Record<string, unknown>[] = []
  const telemetry = await createTelemetry({
    settings: { logLevel: 'info', logFormat: 'json', traceSampling: 0 },
    version: '0.0.0-test',
    redact: (value) => value,
    logTo: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  })
  onTestFinished(() => telemetry.close())
  return { telemetry, lines }
}

async function running(keys: ListenerKeys) {
  const { telemetry, lines } = await openTelemetry()
  const listener = createConfiguredListener({
    name: 'gateway',
    keys,
    limits,
    handler: (_request, response) => void response.end('ok'),
    telemetry,
  })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  return { listener, port, telemetry, lines }
}

function serialOf(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

test('a certificate is taken over when the configuration names another, or its files have changed', async () => {
  const authority = await makeAuthority()
  const [first, second] = [await authority.issue(), await authority.issue({ untilDays: 60 })]
  const keysOf = (leaf: typeof first): ListenerKeys => ({
    ...plain,
    tlsCertificate: leaf.certificatePath,
    tlsKey: leaf.keyPath,
  })
  const { listener, port } = await running(keysOf(first))
  const before = await serialOf(port, authority.certificate)
  expect([listener.hasNewTls(keysOf(first)), listener.hasNewTls(keysOf(second))]).toEqual([false, true])
  const unfit = { ...keysOf(first), tlsKey: second.keyPath }
  const misuse = expect.objectContaining({ name: 'Misuse', code: 'http.tls-mismatch' })
  expect(() => listener.hasNewTls(unfit)).toThrow(misuse)
  expect(() => listener.configure(unfit, limits)).toThrow(misuse)
  expect(await serialOf(port, authority.certificate)).toBe(before)
  const expiresAt = listener.tlsExpiresAt() ?? 0
  listener.configure(keysOf(second), limits)
  expect(await serialOf(port, authority.certificate)).not.toBe(before)
  expect((listener.tlsExpiresAt() ?? 0) - expiresAt).toBeGreaterThan(29 * 86_400_000)
  expect(listener.hasNewTls(keysOf(second))).toBe(false)
})

test('a start with a certificate that cannot be used is refused', async () => {
  const { telemetry } = await openTelemetry()
  const { certificatePath, keyPath } = await (await makeAuthority()).issue({ untilDays: -0.5 })
  const keys = { ...plain, tlsCertificate: certificatePath, tlsKey: keyPath }
  expect(() =>
    createConfiguredListener({ name: 'gateway', keys, limits, handler: () => undefined, telemetry }),
  ).toThrow(expect.objectContaining({ name: 'Misuse', code: 'http.tls-expired' }))
})

test('limits and trusted proxies hold from the moment they are configured', async () => {
  const { listener, port } = await running(plain)
  const one = { ...limits, connectionsPerAddress: 1 }
  listener.configure(plain, one)
  const first = await openRaw({ port })
  await expect.poll(listener.connectionCount).toBe(1)
  await (
    await openRaw({ port })
  ).closed
  listener.configure({ ...plain, trustedProxies: ['127.0.0.0/8'] }, one)
  const second = await openRaw({ port })
  for (const client of [first, second]) {
    client.socket.write(headOf())
    await expect.poll(() => client.statuses()).toEqual([200])
  }
})

test('who is turned away is counted, and logged once with how many', async () => {
  const { listener, port, telemetry, lines } = await running(plain)
  for (let count = 0; count < 3; count++) {
    const client = await openRaw({ port })
    client.socket.write('nonsense\r\n\r\n')
    await client.closed
  }
  await listener.close(0)
  const told = lines.filter((line) => line['event.name'] === 'http.turned-away')
  expect(told).toMatchObject([{ listener: 'gateway', reason: 'malformed', count: 3, address: '127.0.0.1' }])
  const metrics = await telemetry.prometheus()
  expect(metrics).toMatch(/castellan_turned_away_total\{[^}]*reason="malformed"[^}]*\} 3/)
  expect(metrics).toMatch(/castellan_connections\{[^}]*listener="gateway"[^}]*\} 0/)
})

test('a certificate that ends soon is told of', async () => {
  const { certificatePath, keyPath } = await (await makeAuthority()).issue({ untilDays: 13 })
  const { lines, telemetry } = await running({ ...plain, tlsCertificate: certificatePath, tlsKey: keyPath })
  expect(lines.map((line) => line['event.name'])).toContain('http.certificate-ends')
  expect(await telemetry.prometheus()).toMatch(
    /castellan_cert_expiry_timestamp_seconds\{[^}]*name="gateway"[^}]*\} \d+/,
  )
})
