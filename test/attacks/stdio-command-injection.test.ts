/**
 * A developer wants code to run on the gateway's machine: by adding a server of their own, through a server's name, and
 * with shell syntax in a tool's arguments. Then a server tries to read Castellan's environment, and to outlive it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool, initialize } from '../world/messages.ts'
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

const breeder = `
const { spawn } = require('node:child_process')
const { appendFileSync } = require('node:fs')
process.on('SIGTERM', () => {})
const stay = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"
const child = spawn(process.execPath, ['-e', stay], { stdio: 'ignore' })
appendFileSync(process.argv[2], process.pid + '\\n' + child.pid + '\\n')
process.stdin.on('data', (chunk) => {
  for (const line of String(chunk).split('\\n').filter(Boolean)) {
    const { id, method, params } = JSON.parse(line)
    if (id === undefined) continue
    const result = method === 'initialize'
      ? { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'b', version: '1' } }
      : { tools: [] }
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result }) + '\\n')
  }
})
setInterval(() => {}, 1000)
`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

proves(
  'STD-3',
  'a server that ignores its end is ended with everything it started',
  async () => {
    const world = await startWorld()
    const folder = temporaryFolder()
    const [script, pids] = [join(folder, 'breeder.cjs'), join(folder, 'pids')]
    writeFileSync(script, breeder)
    await world.ana.api('POST', '/upstreams', { name: 'breeder', command: [process.execPath, script, pids] })
    const token = await world.ana.mint('breeder')
    expect((await world.post({ token, upstream: 'breeder', message: initialize })).status).toBe(200)
    const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number)
    expect(started.filter(isAlive)).toHaveLength(2)
    await world.ana.api('DELETE', '/upstreams/breeder')
    for (let attempt = 0; attempt < 100 && started.some(isAlive); attempt += 1) await sleep(50)
    expect(started.filter(isAlive)).toEqual([])
    expect((await world.post({ token, upstream: 'breeder', message: callTool('x') })).status).toBe(404)
    expect((await world.ledger('&event=upstream.removed')).length).toBe(1)
  },
  20_000,
)
