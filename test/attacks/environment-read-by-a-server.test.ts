/**
 * A server prints the environment it was started with, looking for keys that belong to Castellan or to other servers.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { initialize } from '../world/messages.ts'
import { peerCommands, putBehind } from '../world/servers/peers.ts'

proves('STD-2', "a server's process sees none of Castellan's environment", async () => {
  process.env['CASTELLAN_CANARY'] = 'canary-value'
  const world = await startWorld()
  const environment = { GIVEN: 'by the admin' }
  const { token } = await putBehind(world.ana, 'everything', { command: peerCommands.everything, environment })
  const started = await world.post({ token, upstream: 'everything', message: initialize })
  const headers = { 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' }
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get-env', arguments: {} } }
  const { body } = await world.post({ token, upstream: 'everything', message, headers })
  delete process.env['CASTELLAN_CANARY']
  const content = (body['result'] as { content: { text: string }[] }).content[0]?.text ?? ''
  const seen = JSON.parse(content) as Record<string, string>
  expect(seen['GIVEN']).toBe('by the admin')
  expect(Object.keys(seen).filter((name) => !['PATH', 'HOME', 'LANG', 'GIVEN'].includes(name))).toEqual([])
  const recorded = JSON.stringify(await world.ledger())
  expect(recorded).not.toContain('by the admin')
})
