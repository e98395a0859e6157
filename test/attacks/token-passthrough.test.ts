/**
 * A malicious upstream waits for the caller's token, cookies or address to come along with a call, so that it can act
 * as the caller elsewhere; a malicious client adds headers meant for the upstream's own proxy.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, initialize, modern } from '../world/messages.ts'
import { entriesOf } from '../world/edge/entries.ts'

proves('AUT-5', 'nothing of the caller but the message reaches the upstream', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const extra = {
    cookie: 'session=canary-cookie',
    'x-forwarded-for': '10.9.8.7',
    'x-api-key': 'canary-key',
    forwarded: 'for=10.9.8.7',
    'proxy-authorization': 'Bearer canary-proxy',
    'mcp-param-token': 'canary-param',
    'x-canary': 'canary-header',
  }
  const started = await world.post({ token, message: initialize, headers: extra })
  expect(started.status).toBe(200)
  const session = started.headers.get('mcp-session-id') ?? ''
  const legacy = await world.post({
    token,
    message: callTool('echo'),
    headers: { ...extra, 'mcp-session-id': session },
  })
  expect(legacy.status).toBe(200)
  const { 'mcp-param-token': _, ...withoutParam } = extra
  const inModern = modern(callTool('echo') as never)
  const answered = await world.post({ token, ...inModern, headers: { ...withoutParam, ...inModern.headers } })
  expect(answered.status).toBe(200)
  expect(JSON.stringify([started.body, legacy.body, answered.body])).not.toContain(token)

  const encoded = [token, Buffer.from(token).toString('base64'), Buffer.from(token).toString('hex'), 'canary', session]
  const seen = JSON.stringify(world.books.arrived)
  for (const secret of encoded) expect(seen).not.toContain(secret)
  expect(seen).not.toContain('10.9.8.7')
  expect(world.books.arrived.every(({ headers }) => headers.authorization === undefined)).toBe(true)

  const recorded = JSON.stringify(await world.ledger())
  for (const secret of encoded) expect(recorded).not.toContain(secret)
  await entriesOf(world, 'event=call.completed', 3)
})
