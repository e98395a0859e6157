/**
 * A developer wants code to run on the gateway's machine: by adding a server of their own, through a server's name, and
 * with shell syntax in a tool's arguments.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { initialize } from '../world/messages.ts'
import { peerCommands, putBehind } from '../world/servers/peers.ts'

proves('STD-1', 'nobody but an admin makes a process start, and no shell ever reads a command', async () => {
  const world = await startWorld()
  const canary = join(temporaryFolder(), 'canary')
  const ben = await world.join('ben', [reader])
  const payloads = [
    `; touch ${canary}`,
    `$(touch ${canary})`,
    `\`touch ${canary}\``,
    `| touch ${canary} &`,
    `\n touch ${canary}`,
  ]

  const added = await ben.api('POST', '/upstreams', { name: 'mine', command: ['touch', canary] })
  expect(added.status).toBe(403)
  expect((await ben.api('POST', '/upstreams/books/review', {})).status).toBe(403)
  const token = await ben.mint('books')
  for (const payload of payloads) {
    const path = `${world.gatewayUrl}/servers/${encodeURIComponent(`books${payload}`)}/mcp`
    const reached = await fetch(path, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: '{}' })
    expect(reached.status).toBe(404)
    const bare = await world.ana.api('POST', '/upstreams', { name: 'bare', command: [`node${payload}`] })
    expect(bare.status, payload).toBe(422)
  }
  const { token: anasToken } = await putBehind(world.ana, 'everything', {
    command: [...peerCommands.everything, ...payloads],
  })
  for (const payload of payloads) {
    const message = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'echo', arguments: { message: payload } },
    }
    const started = await world.post({ token: anasToken, upstream: 'everything', message: initialize })
    const headers = { 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' }
    const echoed = await world.post({ token: anasToken, upstream: 'everything', message, headers })
    expect(JSON.stringify(echoed.body)).toContain(JSON.stringify(`Echo: ${payload}`).slice(1, -1))
  }

  expect(existsSync(canary)).toBe(false)
  expect(world.books.calls()).toHaveLength(0)
  const refused = await world.ledger('&person=ben&event=admin.refused')
  expect(refused).toHaveLength(2)
})
