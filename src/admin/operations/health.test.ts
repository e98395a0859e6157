import { setTimeout as sleep } from 'node:timers/promises'
import { createConfiguredListener } from '#platform/http'
import { expect, onTestFinished, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'
import { openTelemetry } from '../../../test/world/telemetry.ts'
import { makeAuthority } from '../../../test/world/wire/tls.ts'

async function becomes(look: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await look()) && performance.now() < deadline) await sleep(50)
  expect(await look()).toBe(true)
}

test('without its database it is not ready, and says which part is missing only to nobody', async () => {
  const world = await openAdminWorld()
  const ready = async () => (await fetch(`${world.adminUrl}/readyz`)).status
  expect(await ready()).toBe(200)
  await world.database.close()
  await becomes(async () => (await ready()) === 503)
  const verbose = await fetch(`${world.adminUrl}/readyz?verbose`, { headers: { authorization: 'Bearer css_nothing' } })
  expect([verbose.status, await verbose.text()]).toEqual([503, 'no\n'])
  expect((await fetch(`${world.adminUrl}/livez`)).status).toBe(200)
  expect((await fetch(`${world.adminUrl}/startupz`)).status).toBe(200)
})

test('health is asked with GET and HEAD, and found at its exact paths', async () => {
  const world = await openAdminWorld()
  for (const path of ['/livez', '/readyz', '/startupz']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      expect((await fetch(`${world.adminUrl}${path}`, { method })).status, `${method} ${path}`).toBe(404)
    expect((await fetch(`${world.adminUrl}${path}/`)).status).toBe(404)
    expect((await fetch(`${world.adminUrl}${path.toUpperCase()}`)).status).toBe(404)
  }
})

test('a certificate that has ended is not ready for anybody', async () => {
  const { telemetry } = await openTelemetry()
  telemetry.health.setStarted()
  const authority = await makeAuthority()
  const { certificatePath, keyPath } = await authority.issue({ untilDays: 4 / 86_400 })
  const listener = createConfiguredListener({
    name: 'admin',
    keys: {
      port: 0,
      addresses: ['127.0.0.1'],
      tlsCertificate: certificatePath,
      tlsKey: keyPath,
      tlsMinVersion: 'TLSv1.3',
      dangerouslyAllowPlainHttp: false,
      trustedProxies: [],
    },
    limits: {
      headerBytes: 16_384,
      headersSeconds: 10,
      requestSeconds: 30,
      keepAliveSeconds: 65,
      connections: 10,
      connectionsPerAddress: 10,
    },
    handler: (_request, response) => void response.end(),
    telemetry,
  })
  onTestFinished(() => listener.close(0))
  expect(await telemetry.health.ready()).toMatchObject({ isReady: true, checks: { 'admin-certificate': true } })
  await becomes(async () => !(await telemetry.health.ready()).isReady)
  expect(await telemetry.health.ready()).toMatchObject({ checks: { 'admin-certificate': false } })
})
