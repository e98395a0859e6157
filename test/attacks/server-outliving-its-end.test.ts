/**
 * A server ignores its end and leaves a process of its own behind.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool, initialize } from '../world/messages.ts'

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
