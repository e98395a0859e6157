/**
 * A web page makes the browser of someone on this machine talk to the gateway and to the admin API, from its own origin
 * and from a sandboxed frame. It has even got hold of a token.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { adminRoutes, gatewayRoutes, goodHeaders, send } from '../world/edge/send.ts'
import { callTool } from '../world/messages.ts'

const body = JSON.stringify(callTool('echo'))

proves('NET-1', 'a foreign Origin gets nothing on any path or method of the gateway', async () => {
  const world = await startWorld({ env: { CASTELLAN_GATEWAY__ALLOWED_ORIGINS: 'https://app.castle.test' } })
  const headers = await goodHeaders(world)
  const call = { method: 'POST', path: '/servers/books/mcp', body }
  for (const origin of [undefined, world.gatewayUrl, 'https://app.castle.test', 'https://APP.castle.test:443']) {
    expect((await send(world.gatewayUrl, { ...call, headers: { ...headers, origin } })).status, origin).toBe(200)
  }
  const reached = world.books.arrived.length
  for (const [method, path] of gatewayRoutes) {
    const answer = await send(world.gatewayUrl, {
      method,
      path,
      headers: { ...headers, origin: 'https://evil.example' },
    })
    expect(answer.status, `${method} ${path}`).toBe(403)
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    if (method === 'HEAD') continue
    expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { code: 'gateway.origin-not-allowed' } } })
  }
  const foreign: (string | string[])[] = [
    'null',
    '',
    `${world.gatewayUrl}.evil.example`,
    'http://localhost:1',
    world.gatewayUrl.replace('http:', 'https:'),
    `${world.gatewayUrl}/`,
    'https://app.castle.test@evil.example',
    [world.gatewayUrl, 'https://evil.example'],
    ['https://evil.example', world.gatewayUrl],
  ]
  for (const origin of foreign) {
    const { status } = await send(world.gatewayUrl, { ...call, headers: { ...headers, origin } })
    expect(status, String(origin)).toBe(403)
  }
  expect(world.books.arrived).toHaveLength(reached)
  const refused = await world.ledger('&event=call.refused')
  expect(refused).toHaveLength(gatewayRoutes.length + foreign.length)
  expect(refused[0]).toMatchObject({
    refusal: 'gateway.origin-not-allowed',
    details: { guard: 'admit-origin', origin: 'https://evil.example' },
  })
})

proves('NET-1', 'a foreign Origin gets nothing on any path or method of the admin listener', async () => {
  const world = await startWorld()
  const authorization = `Bearer ${world.ana.sessionToken()}`
  const me = { path: '/api/v1/me' }
  expect((await send(world.adminUrl, { ...me, headers: { authorization, origin: world.adminUrl } })).status).toBe(200)
  for (const [method, path] of adminRoutes) {
    for (const origin of ['https://evil.example', 'null', world.gatewayUrl]) {
      const answer = await send(world.adminUrl, { method, path, headers: { authorization, origin } })
      expect(answer.status, `${method} ${path} ${origin}`).toBe(403)
      if (method !== 'HEAD') expect(JSON.parse(answer.text)).toMatchObject({ code: 'admin.foreign-origin' })
    }
  }
  const refused = await world.ledger('&event=admin.refused')
  expect(refused).toHaveLength(3 * adminRoutes.length)
  expect(refused.every(({ refusal }) => refusal === 'admin.foreign-origin')).toBe(true)
})
