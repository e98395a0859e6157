/**
 * Mallory runs a server of her own that the same people use, and carries the tokens that they bring there to Castellan; and
 * she tries what the issuer signs for other ends: an ID token, a logout token, a token that is bound to somebody's key.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startIssuerWorld } from '../world/issuers/world.ts'
import { callTool } from '../world/messages.ts'

proves(['TOK-3', 'AUT-2', 'TOK-4'], 'a token that was not issued for exactly this resource is refused', async () => {
  const world = await startIssuerWorld({ audiences: { 'api://all': '/mcp' } })
  const { issuer, resource } = world
  const before = world.books.arrived.length
  const audiences: unknown[] = [
    'https://mallory.example.com/mcp',
    [resource, 'https://mallory.example.com/mcp'],
    `${resource}/`,
    resource.replace('books', 'other'),
    `${world.gatewayUrl}/mcp`,
    world.gatewayUrl,
    'api://all',
    resource.replace('localhost', 'LOCALHOST'),
  ]
  const others: [Record<string, unknown>, Record<string, unknown>][] = [
    ...audiences.map((aud): [Record<string, unknown>, Record<string, unknown>] => [{ aud }, {}]),
    [{ nonce: 'n' }, { typ: 'JWT' }],
    [{ nonce: 'n' }, {}],
    [{ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, { typ: 'logout+jwt' }],
    [{ cnf: { jkt: 'somebody' } }, {}],
  ]
  for (const [claims, header] of others) {
    const attacked = await world.post({ token: issuer.token(resource, claims, header), message: callTool('echo') })
    expect(attacked.status, JSON.stringify(claims)).toBe(401)
  }
  expect(world.books.arrived).toHaveLength(before)
  const refused = await world.ledger('&event=call.refused')
  expect(refused.map(({ refusal }) => refusal)).toEqual(others.map(() => 'identity.token-invalid'))
  const people = (await world.ana.api('GET', '/people')).body['items'] as unknown[]
  expect(people).toHaveLength(1)
  const joint = await world.post({ token: issuer.token('api://all'), upstream: '/mcp', message: callTool('echo') })
  expect(joint.status).not.toBe(401)
})

proves(
  ['TOK-7', 'AUT-1'],
  'a client that was not granted the scope is told all of what it needs, wherever it comes',
  async () => {
    const world = await startIssuerWorld({ scopes: ['books.read', 'books.call'] })
    const { issuer, resource, gatewayUrl } = world
    const before = world.books.arrived.length
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const post = { method: 'POST', headers, body: JSON.stringify(callTool('echo')) }
    const ways: [string, RequestInit & { headers: Record<string, string> }][] = [
      ['/servers/books/mcp', post],
      ['/servers/books/mcp', { ...post, headers: { ...headers, 'mcp-protocol-version': '2026-07-28' } }],
      ['/servers/books/mcp', { headers: { accept: 'text/event-stream' } }],
      ['/servers/books/mcp', { method: 'DELETE', headers: { 'mcp-session-id': 'x' } }],
      ['/mcp', post],
      ['/servers/books/sse', { headers: { accept: 'text/event-stream' } }],
    ]
    for (const scope of ['', 'mcp', 'books.read', 'books.read mcp books.callx']) {
      for (const [path, request] of ways) {
        const audience = path === '/mcp' ? `${gatewayUrl}/mcp` : resource
        const authorization = `Bearer ${issuer.token(audience, { scope })}`
        const answer = await fetch(`${gatewayUrl}${path}`, {
          ...request,
          headers: { ...request.headers, authorization },
        })
        expect(answer.status, `${scope} ${path}`).toBe(403)
        const metadata = `${gatewayUrl}/.well-known/oauth-protected-resource${new URL(audience).pathname}`
        expect(answer.headers.get('www-authenticate')).toMatch(
          /^Bearer error="insufficient_scope", error_description="[^"]+"/,
        )
        expect(answer.headers.get('www-authenticate')).toContain(`resource_metadata="${metadata}", scope="mcp"`)
        await answer.body?.cancel()
      }
    }
    expect(world.books.arrived).toHaveLength(before)
    expect(await world.ledger('&refusal=gateway.scope-missing')).toHaveLength(4 * ways.length)
    const enough = issuer.token(resource, { scope: 'books.call books.read' })
    expect((await world.post({ token: enough, message: callTool('echo') })).status).toBe(200)
  },
)
