/**
 * The gateway is open to the world and the admin listener is not. Somebody looks for the control API on the gateway, and
 * for a way to an upstream on the admin listener, with all there is to have.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { goodHeaders, send } from '../world/edge/send.ts'
import { callTool } from '../world/messages.ts'

const spellings = (path: string): string[] => [
  path,
  `/${path}`,
  `${path}/`,
  `/servers/books/mcp/..${path}`,
  `/servers/books/mcp${path}`,
  `/.well-known/oauth-protected-resource/..${path}`,
  `/%2e%2e${path}`,
  path.replace('/', '/%2f'),
  `${path};x=/servers/books/mcp`,
  path.toUpperCase(),
]

proves('NET-4', 'nothing of the admin listener is served by the gateway', async () => {
  const world = await startWorld()
  const reached = world.books.arrived.length
  const authorization = `Bearer ${world.ana.sessionToken()}`
  const paths = ['/api/v1/people', '/api/v1/me', '/setup', '/metrics', '/openapi.json', '/readyz', '/livez'].flatMap(
    spellings,
  )
  for (const path of paths) {
    const answer = await send(world.gatewayUrl, { path, headers: { authorization } })
    expect([400, 404], path).toContain(answer.status)
    expect(answer.text, path).not.toMatch(/ana|openapi|"items"|castellan_/)
  }
  expect(world.books.arrived).toHaveLength(reached)
  const refused = await world.ledger('&event=call.refused')
  expect(refused.length).toBeGreaterThan(paths.length / 2)
  expect(refused.every(({ refusal }) => refusal === 'gateway.path-unknown')).toBe(true)
})

proves('NET-4', 'nothing of the gateway is served by the admin listener', async () => {
  const world = await startWorld()
  const headers = await goodHeaders(world)
  const reached = world.books.arrived.length
  for (const path of [...spellings('/servers/books/mcp'), '/.well-known/oauth-protected-resource/servers/books/mcp']) {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const body = method === 'POST' ? JSON.stringify(callTool('echo')) : ''
      const answer = await send(world.adminUrl, { method, path, headers, body })
      expect([400, 404], `${method} ${path}`).toContain(answer.status)
    }
  }
  expect(world.books.arrived).toHaveLength(reached)
  expect(await world.ledger('&event=call.intended')).toHaveLength(0)
})
