/**
 * A client writes the headers that proxies and gateways write: to be somebody else, to be somewhere else, to reach
 * another server, and to be counted as another address with each request.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { goodHeaders, send } from '../world/edge/send.ts'
import { callTool } from '../world/messages.ts'

const body = JSON.stringify(callTool('echo'))
const path = '/servers/books/mcp'

/** Every way to say that a request comes from an address. */
const fromElsewhere = (address: string): Record<string, string> => ({
  'x-forwarded-for': address,
  x_forwarded_for: address,
  'x-forwarded': `for=${address}`,
  forwarded: `for=${address};host=evil.example;proto=https`,
  'x-real-ip': address,
  'x-client-ip': address,
  'true-client-ip': address,
  'cf-connecting-ip': address,
  'x-original-forwarded-for': address,
})

const forged: Record<string, string> = {
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '1',
  'x-forwarded-uri': '/servers/other/mcp',
  'x-forwarded-prefix': '/admin',
  'x-original-url': '/servers/other/mcp',
  'x-original-host': 'evil.example',
  'x-rewrite-url': '/servers/other/mcp',
  'x-host': 'evil.example',
  'x-http-method-override': 'DELETE',
  'x-method-override': 'DELETE',
  'x-castellan-principal': 'ana',
  'castellan-principal': 'ana',
  'castellan-roles': 'administrator',
  'castellan-exchange': 'forged',
  'castellan-entry': '1',
  'x-forwarded-user': 'ana',
  x_forwarded_user: 'ana',
  'x-forwarded-email': 'ana',
  'x-forwarded-groups': 'administrator',
  'x-forwarded-access-token': 'forged',
  'x-auth-request-user': 'ana',
  'x-remote-user': 'ana',
  'remote-user': 'ana',
  'x-mcp-router-key': 'secret-api-key',
  'mcp-upstream': 'other',
  'x-request-id': 'forged',
  'user-agent': 'GoogleHC/1.0',
}

proves('NET-3', 'no header makes a request be another person, go elsewhere or reach the upstream itself', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const lies = { ...forged, ...fromElsewhere('203.0.113.9') }
  const token = await ben.mint('books')
  const headers = { ...(await goodHeaders(world)), authorization: `Bearer ${token}` }
  const honest = await send(world.gatewayUrl, { method: 'POST', path, headers, body })
  const lying = await send(world.gatewayUrl, { method: 'POST', path, headers: { ...lies, ...headers }, body })
  expect([lying.status, lying.text]).toEqual([200, honest.text])
  expect(lying.headers['castellan-exchange']).toMatch(/^[\w-]{16,}$/)
  expect(lying.headers['castellan-exchange']).not.toBe('forged')
  const [plain, arrived] = world.books.calls('tools/call')
  expect(Object.keys(arrived?.headers ?? {}).sort()).toEqual(Object.keys(plain?.headers ?? {}).sort())
  expect(JSON.stringify(arrived?.headers)).not.toMatch(/forged|evil|ana|203\.0\.113|forwarded|cst_/i)
  const intended = await world.ledger('&event=call.intended')
  expect(intended).toHaveLength(2)
  for (const entry of intended) {
    expect(entry).toMatchObject({ principal: { name: 'ben' }, address: '127.0.0.1', target: { upstream: 'books' } })
  }
})

proves(['NET-3', 'AUT-1'], 'no header stands in for a token, on either listener', async () => {
  const world = await startWorld()
  const { authorization: _, ...headers } = { ...(await goodHeaders(world)), ...forged }
  const reached = world.books.arrived.length
  const call = await send(world.gatewayUrl, { method: 'POST', path, headers, body })
  expect(call.status).toBe(401)
  const metadata = `${world.gatewayUrl}/.well-known/oauth-protected-resource/servers/books/mcp`
  expect(call.headers['www-authenticate']).toBe(`Bearer resource_metadata="${metadata}", scope="mcp"`)
  const document = await send(world.gatewayUrl, { path: new URL(metadata).pathname, headers })
  expect(JSON.parse(document.text)).toMatchObject({ resource: `${world.gatewayUrl}${path}` })
  expect(document.text).not.toContain('evil')
  for (const route of ['/api/v1/me', '/api/v1/people', '/metrics']) {
    expect((await send(world.adminUrl, { path: route, headers })).status, route).toBe(401)
  }
  expect((await send(world.adminUrl, { path: '/setup', headers })).text).not.toContain('evil')
  expect(world.books.arrived).toHaveLength(reached)
  const refused = [...(await world.ledger('&event=call.refused')), ...(await world.ledger('&event=admin.refused'))]
  expect(refused).toHaveLength(4)
  for (const entry of refused) expect(entry).not.toHaveProperty('principal')
})

proves('NET-3', 'a client that is no trusted proxy is where its connection comes from', async () => {
  const inside = '127.0.0.1'
  const outside = '127.0.0.9'
  const world = await startWorld({
    env: {
      CASTELLAN_GATEWAY__ALLOWED_NETWORKS: `${inside},::1`,
      CASTELLAN_ADMIN__ALLOWED_NETWORKS: `${inside},::1`,
      CASTELLAN_GATEWAY__TRUSTED_PROXIES: '127.0.0.2',
      CASTELLAN_ADMIN__TRUSTED_PROXIES: '127.0.0.2',
    },
  })
  const headers = { ...(await goodHeaders(world)), ...fromElsewhere(inside) }
  const reached = world.books.arrived.length
  expect((await send(world.gatewayUrl, { from: outside, method: 'POST', path, headers, body })).status).toBe(403)
  const session = { authorization: `Bearer ${world.ana.sessionToken()}`, ...fromElsewhere(inside) }
  expect((await send(world.adminUrl, { from: outside, path: '/api/v1/me', headers: session })).status).toBe(403)
  expect(world.books.arrived).toHaveLength(reached)
  const [call] = await world.ledger('&event=call.refused')
  const [admin] = await world.ledger('&event=admin.refused')
  expect([call, admin]).toMatchObject([
    { refusal: 'gateway.address-not-allowed', address: outside },
    { refusal: 'admin.foreign-address', address: outside },
  ])
})

proves(
  'NET-3',
  'behind a trusted proxy the client is what the proxy wrote, never what the client wrote before it',
  async () => {
    const proxy = '127.0.0.2'
    const world = await startWorld({
      env: {
        CASTELLAN_GATEWAY__TRUSTED_PROXIES: `${proxy}, 10.0.0.0/8`,
        CASTELLAN_GATEWAY__ALLOWED_NETWORKS: '127.0.0.1, 127.0.0.2, ::1, 203.0.113.0/24, 2001:db8::/32',
      },
    })
    const headers = await goodHeaders(world)
    const through = async (forwarded: string | string[], more: Record<string, string> = {}) => {
      const sent = { ...headers, ...more, 'x-forwarded-for': forwarded }
      const { status } = await send(world.gatewayUrl, { from: proxy, method: 'POST', path, headers: sent, body })
      const entries = await world.ledger(`&event=${status === 200 ? 'call.intended' : 'call.refused'}`)
      return [status, entries.at(-1)?.address]
    }
    expect(await through('203.0.113.9')).toEqual([200, '203.0.113.9'])
    expect(await through('203.0.113.9:4711')).toEqual([200, '203.0.113.9'])
    expect(await through('[2001:db8::9]:4711')).toEqual([200, '2001:db8::9'])
    expect(await through('198.51.100.1, 203.0.113.9, 10.0.0.7')).toEqual([200, '203.0.113.9'])
    expect(await through(['127.0.0.1', '203.0.113.9'])).toEqual([200, '203.0.113.9'])
    expect(await through('203.0.113.9', fromElsewhereButOne())).toEqual([200, '203.0.113.9'])
    expect(await through('203.0.113.9, 198.51.100.1')).toEqual([403, '198.51.100.1'])
    expect(await through('127.0.0.1, 198.51.100.1')).toEqual([403, '198.51.100.1'])
    expect(await through('203.0.113.9, unknown')).toEqual([200, proxy])
    expect(await through('x'.repeat(8_000))).toEqual([200, proxy])
  },
)

function fromElsewhereButOne(): Record<string, string> {
  const { 'x-forwarded-for': _, ...rest } = fromElsewhere('198.51.100.1')
  return rest
}
