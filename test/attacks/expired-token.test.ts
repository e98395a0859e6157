/**
 * An old token from a laptop backup is used after its expiry, and one is used across the moment it expires.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'

proves('AUT-3', 'a token works until its last millisecond and not one longer', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books', 600)
  world.clock.advance(600_000 - 1)
  const last = await world.post({ token, message: callTool('echo') })
  expect(last.status).toBe(200)
  const before = world.books.calls('tools/call').length

  world.clock.advance(1)
  const late = await world.post({ token, message: callTool('echo') })
  expect(late.status).toBe(401)

  expect(world.books.calls('tools/call')).toHaveLength(before)
  const refused = await world.ledger('&event=call.refused')
  expect(refused.map((entry) => entry.refusal)).toEqual(['identity.token-expired'])
})
