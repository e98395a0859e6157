/**
 * A page on a rebound host name, and a client that lies about the host it calls, try every path and method of both
 * listeners. They have got hold of a token.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { adminRoutes, gatewayRoutes, goodHeaders, send } from '../world/edge/send.ts'
import { callTool } from '../world/messages.ts'

const body = JSON.stringify(callTool('echo'))

proves('NET-1', 'a foreign Host gets nothing on any path or method of the gateway', async () => {
  const world = await startWorld()
  const headers = await goodHeaders(world)
  const { port } = new URL(world.gatewayUrl)
  const call = { method: 'POST', path: '/servers/books/mcp', body }
  const good = [`localhost:${port}`, `LOCALHOST:${port}`, `localhost.:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]
  for (const host of good) {
    expect((await send(world.gatewayUrl, { ...call, headers: { ...headers, host } })).status, host).toBe(200)
  }
  const reached = world.books.arrived.length
  for (const [method, path] of gatewayRoutes) {
    const answer = await send(world.gatewayUrl, { method, path, headers: { ...headers, host: 'evil.example' } })
    expect(answer.status, `${method} ${path}`).toBe(403)
    expect(answer.headers, `${method} ${path}`).not.toHaveProperty('www-authenticate')
    if (method === 'HEAD') continue
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 403, data: { code: 'gateway.host-not-allowed' } } })
    expect(JSON.parse(answer.text)).not.toHaveProperty('result')
  }
  const liars = [
    '',
    `evil.example:${port}`,
    `localhost:${port}.evil.example`,
    `localhost.evil.example:${port}`,
    'localhost:1',
    'localhost',
    `ana@localhost:${port}`,
    `localhost:${port}@evil.example`,
    `evil.example#localhost:${port}`,
    `http://localhost:${port}`,
    `127.0.0.2:${port}`,
    `2130706433:${port}`,
  ]
  for (const host of liars) {
    const { status } = await send(world.gatewayUrl, { ...call, headers: { ...headers, host } })
    expect(status, host).toBe(403)
  }
  expect(world.books.arrived).toHaveLength(reached)
  const refused = await world.ledger('&event=call.refused')
  expect(refused).toHaveLength(gatewayRoutes.length + liars.length)
  expect(refused.every(({ refusal }) => refusal === 'gateway.host-not-allowed')).toBe(true)
  expect(refused[0]).toMatchObject({ outcome: 'refused', details: { guard: 'admit-origin', host: 'evil.example' } })
})

proves('NET-1', 'two hosts, a host in the request line and no host at all are not guessed at', async () => {
  const world = await startWorld()
  const headers = await goodHeaders(world)
  const { host, port } = new URL(world.gatewayUrl)
  const call = { method: 'POST', path: '/servers/books/mcp', body, headers }
  const reached = world.books.arrived.length
  const two = await send(world.gatewayUrl, { ...call, headers: { ...headers, host: [host, 'evil.example'] } })
  expect(two.status).toBe(400)
  for (const path of [`http://evil.example/servers/books/mcp`, `http://localhost:${port}/servers/books/mcp`]) {
    expect((await send(world.gatewayUrl, { ...call, path })).status, path).toBe(400)
  }
  const none = await send(world.gatewayUrl, { ...call, headers: { ...headers, host: undefined } })
  expect(none.status).toBe(400)
  expect(world.books.arrived).toHaveLength(reached)
})

proves('NET-1', 'a foreign Host gets nothing on any path or method of the admin listener', async () => {
  const world = await startWorld()
  const { port } = new URL(world.adminUrl)
  const authorization = `Bearer ${world.ana.sessionToken()}`
  expect((await send(world.adminUrl, { path: '/api/v1/me', headers: { authorization } })).status).toBe(200)
  expect((await send(world.adminUrl, { path: '/livez' })).status).toBe(200)
  const named = await send(world.adminUrl, { path: '/livez', headers: { host: `127.0.0.1:${port}` } })
  expect(named.status).toBe(200)
  for (const [method, path] of adminRoutes) {
    for (const host of ['evil.example', `evil.example:${port}`]) {
      const answer = await send(world.adminUrl, { method, path, headers: { authorization, host } })
      expect(answer.status, `${method} ${path}`).toBe(403)
      if (method !== 'HEAD') expect(JSON.parse(answer.text)).toMatchObject({ code: 'admin.foreign-host' })
    }
  }
  const refused = await world.ledger('&event=admin.refused')
  expect(refused).toHaveLength(2 * adminRoutes.length)
  expect(refused.every(({ refusal }) => refusal === 'admin.foreign-host')).toBe(true)
})

proves('NET-1', 'what machines ask may name the address that was reached, and nothing else may', async () => {
  const world = await startWorld({ env: { CASTELLAN_ADMIN__ADDRESSES: '127.0.0.1, 127.0.0.5' } })
  const { port } = new URL(world.adminUrl)
  const url = `http://127.0.0.5:${port}`
  const statusOf = async (path: string, host: string) => (await send(url, { path, headers: { host } })).status
  for (const path of ['/livez', '/readyz', '/startupz'])
    expect(await statusOf(path, `127.0.0.5:${port}`), path).toBe(200)
  expect(await statusOf('/metrics', `127.0.0.5:${port}`)).toBe(401)
  for (const path of ['/setup', '/metrics/', '/api/v1/me', '/livez/', '/livezz', '/']) {
    expect(await statusOf(path, `127.0.0.5:${port}`), path).toBe(403)
  }
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    `127.0.0.6:${port}`,
    '127.0.0.5',
    `127.0.0.5.:${port}0`,
  ]) {
    expect(await statusOf('/livez', host), host).toBe(403)
  }
  const refused = await world.ledger('&event=admin.refused')
  expect(refused).toHaveLength(12)
})
