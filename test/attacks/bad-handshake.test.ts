/**
 * A server speaks both eras of the protocol. Mallory opens sessions with it as no client does, again and again, so that it
 * answers with errors: whoever takes those for the word that it has no sessions any more ends Ben's.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, initialize } from '../world/messages.ts'
import { answerAsOfOld, type Asked, startOldServer } from '../world/servers/old-server.ts'
import { putBehind } from '../world/servers/peers.ts'

const user = { grants: [{ permissions: ['servers:use', 'tools:call'], resources: ['both', 'both/tools/*'] }] }
const discovered = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {}, ttlMs: 0 }

function answerAsBoth(asked: Asked): void {
  if (asked.method === 'server/discover') return asked.result({ ...discovered, cacheScope: 'private' })
  const isBad = asked.method === 'initialize' && asked.params['capabilities'] === undefined
  if (!isBad) return answerAsOfOld(asked)
  asked.send(400, { jsonrpc: '2.0', id: asked.id, error: { code: -32602, message: 'no capabilities' } })
}

proves('UPS-1', 'a handshake that a server refuses costs the one who made it, and nobody a session', async () => {
  const [world, server] = [await startWorld(), await startOldServer()]
  await putBehind(world.ana, 'both', { url: server.url })
  server.answer = answerAsBoth
  await world.ana.api('PUT', '/roles/both-user', user)
  const [ben, mallory] = [await world.join('ben', ['both-user']), await world.join('mallory', ['both-user'])]
  const [bens, mallorys] = [await ben.mint('both'), await mallory.mint('both')]
  const opened = await world.post({ token: bens, upstream: 'both', message: initialize })
  const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const call = () => world.post({ token: bens, upstream: 'both', message: callTool('echo'), headers })
  expect((await call()).body).toHaveProperty('result')
  const session = server.of('tools/call')[0]?.headers['mcp-session-id']
  const bad = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } }
  for (const _time of [1, 2]) {
    world.clock.advance(10 * 60_000 + 1)
    const refused = await world.post({ token: mallorys, upstream: 'both', message: bad })
    expect(refused.body).toMatchObject({ error: { code: -32602 } })
    expect(await call()).toMatchObject({ status: 200, body: { result: {} } })
    expect(server.of('tools/call').at(-1)?.headers['mcp-session-id']).toBe(session)
  }
  const ofMallory = async () => {
    const entries = await world.ledger('&event=call.completed')
    return entries.filter(({ principal }) => principal?.name === 'mallory').map(({ outcome }) => outcome)
  }
  await expect.poll(ofMallory).toEqual(['failed', 'failed'])
})
