/**
 * A token for one server is tried at another server behind the same gateway (RFC 8707: audience confusion).
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
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
