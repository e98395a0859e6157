/**
 * Mallory has read Ben's MCP session id from a log and uses it with her own valid token, on every method.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool, initialize } from '../world/messages.ts'

proves('SES-1', "another person's session id opens nothing, and Ben's session goes on", async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const mallory = await world.join('mallory', [reader])
  const [benToken, malloryToken] = [await ben.mint('books'), await mallory.mint('books')]
  const started = await world.post({ token: benToken, message: initialize })
  const session = started.headers.get('mcp-session-id') ?? ''
  const upstreamSession = world.books.arrived.at(-1)?.headers['mcp-session-id']
  const before = world.books.arrived.length

  for (const id of [session, `${session.slice(0, -1)}A`, String(upstreamSession), 'x'.repeat(5000)]) {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const stolen = await fetch(`${world.gatewayUrl}/servers/books/mcp`, {
        method,
        headers: {
          authorization: `Bearer ${malloryToken}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-session-id': id,
        },
        ...(method === 'POST' ? { body: JSON.stringify(callTool('echo')) } : {}),
      })
      expect(stolen.status, method).toBe(404)
      expect(await stolen.text()).toContain('gateway.session-unknown')
    }
  }

  expect(world.books.arrived).toHaveLength(before)
  const refused = await world.ledger('&event=call.refused')
  expect(refused).toHaveLength(12)
  expect(refused.every((entry) => entry.principal?.name === 'mallory')).toBe(true)
  const still = await world.post({ token: benToken, message: callTool('echo'), headers: { 'mcp-session-id': session } })
  expect(still.status).toBe(200)
})
