/**
 * A token for one server is tried at another server behind the same gateway (RFC 8707: audience confusion).
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'

proves('AUT-2', 'a token for another server is refused here, also when its owner may use both', async () => {
  const world = await startWorld()
  const other = await startRecordingUpstream()
  await world.ana.api('POST', '/upstreams', { name: 'other', url: other.url })
  const token = await world.ana.mint('other')
  const before = world.books.arrived.length

  const attacked = await world.post({ token, message: callTool('echo') })
  expect(attacked.status).toBe(401)
  expect(attacked.headers.get('www-authenticate')).toContain('error="invalid_token"')
  const dotted = await fetch(`${world.gatewayUrl}/servers/other/mcp/../../books/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(callTool('echo')),
  })
  expect(dotted.status).toBe(401)

  expect(world.books.arrived).toHaveLength(before)
  const refused = (await world.ledger('&event=call.refused')).map((entry) => entry.refusal)
  expect(refused).toEqual(['identity.token-invalid', 'identity.token-invalid'])
})

proves('AUT-2', 'a token for one server does not open the address of several, nor the other way round', async () => {
  const world = await startWorld()
  await world.ana.api('POST', '/bundles', { name: 'work', upstreams: ['books'] })
  await world.ana.api('POST', '/bundles', { name: 'home', upstreams: ['books'] })
  const places = ['/servers/books/mcp', '/mcp', '/bundles/work/mcp', '/bundles/home/mcp']
  const tokens = await Promise.all(places.map((place) => world.ana.mint(place)))
  const listing = modern({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const before = world.books.arrived.length
  for (const [at, token] of tokens.entries()) {
    for (const upstream of places.filter((place) => place !== places[at])) {
      const attacked = await world.post({ token, upstream, ...listing })
      expect(attacked.status).toBe(401)
      const metadata = `${world.gatewayUrl}/.well-known/oauth-protected-resource${upstream}`
      expect(attacked.headers.get('www-authenticate')).toContain(`resource_metadata="${metadata}"`)
      const told = (await (await fetch(metadata)).json()) as Record<string, unknown>
      expect(told['resource']).toBe(`${world.gatewayUrl}${upstream}`)
    }
  }
  expect(world.books.arrived).toHaveLength(before)
  expect(await world.ledger('&refusal=identity.token-invalid')).toHaveLength(12)
  for (const [at, token] of tokens.entries()) {
    expect((await world.post({ token, upstream: places[at] ?? '', ...listing })).status).toBe(200)
  }
})
