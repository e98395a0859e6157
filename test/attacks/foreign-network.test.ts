/**
 * Somebody in a network that may not use the gateway has a token and a session that are good, and tries every path and
 * method of both listeners.
 */
import { expect } from 'vitest'
import { adminAdmission } from '#admin'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { load } from '../world/machine/configuration.ts'
import { adminRoutes, gatewayRoutes, goodHeaders, send } from '../world/edge/send.ts'
import { callTool } from '../world/messages.ts'

const outside = '127.0.0.9'
const body = JSON.stringify(callTool('echo'))

proves(
  'NET-2',
  'an address outside the allowed networks gets nothing on any path or method of the gateway',
  async () => {
    const world = await startWorld({
      env: { CASTELLAN_GATEWAY__ALLOWED_NETWORKS: '127.0.0.0/29, ::ffff:127.0.0.8, ::1' },
    })
    const headers = await goodHeaders(world)
    const call = { method: 'POST', path: '/servers/books/mcp', headers, body }
    for (const from of ['127.0.0.1', '127.0.0.7', '127.0.0.8']) {
      expect((await send(world.gatewayUrl, { ...call, from })).status, from).toBe(200)
    }
    const reached = world.books.arrived.length
    for (const [method, path] of gatewayRoutes) {
      const answer = await send(world.gatewayUrl, { from: outside, method, path, headers })
      expect(answer.status, `${method} ${path}`).toBe(403)
      if (method === 'HEAD') continue
      const told = JSON.parse(answer.text) as Record<string, unknown>
      expect(told).toMatchObject({ error: { code: 403, data: { code: 'gateway.address-not-allowed' } } })
      expect(told['id'] ?? null).toBeNull()
    }
    expect(world.books.arrived).toHaveLength(reached)
    const refused = await world.ledger('&event=call.refused')
    expect(refused).toHaveLength(gatewayRoutes.length)
    for (const entry of refused) {
      expect(entry).toMatchObject({ refusal: 'gateway.address-not-allowed', address: outside })
      expect(entry).toMatchObject({ details: { guard: 'admit-address' } })
      expect(entry).not.toHaveProperty('principal')
    }
  },
)

proves(
  'NET-2',
  'an address outside the allowed networks gets nothing of the admin listener, whatever it knows',
  async () => {
    const world = await startWorld({ env: { CASTELLAN_ADMIN__ALLOWED_NETWORKS: '127.0.0.1/32,::1/128' } })
    const authorization = `Bearer ${world.ana.sessionToken()}`
    for (const [method, path] of adminRoutes) {
      const answer = await send(world.adminUrl, { from: outside, method, path, headers: { authorization } })
      expect(answer.status, `${method} ${path}`).toBe(403)
      if (method !== 'HEAD') expect(JSON.parse(answer.text)).toMatchObject({ code: 'admin.foreign-address' })
    }
    const { name, password } = world.ana
    const credentials = JSON.stringify({ name, password, code: world.ana.nextCode() })
    const json = { 'content-type': 'application/json' }
    const signIn = { method: 'POST', path: '/api/v1/sign-in', headers: json, body: credentials }
    expect((await send(world.adminUrl, { ...signIn, from: outside })).status).toBe(403)
    expect((await send(world.adminUrl, signIn)).status).toBe(200)
    const refused = await world.ledger('&event=admin.refused')
    expect(refused).toHaveLength(adminRoutes.length + 1)
    expect(refused.every((entry) => entry.address === outside && entry.refusal === 'admin.foreign-address')).toBe(true)
  },
)

proves('NET-2', 'unless somebody says otherwise, the admin listener answers to this machine only', () => {
  const { allowedNetworks, trustedProxies } = adminAdmission(load().config)
  for (const own of ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1']) {
    expect(allowedNetworks.has(own), own).toBe(true)
  }
  for (const other of [
    '10.0.0.1',
    '192.168.1.1',
    '128.0.0.1',
    '0.0.0.0',
    'fe80::1',
    'fd00::1',
    '::2',
    '::',
    'unknown',
  ]) {
    expect(allowedNetworks.has(other), other).toBe(false)
  }
  expect(trustedProxies.has('127.0.0.1')).toBe(false)
})
