/**
 * Someone fills the disk, or holds the ledger's file, so that what they do next leaves no trace.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callAdmin } from '../world/people.ts'
import { callTool, listTools } from '../world/messages.ts'

proves(
  ['LED-2', 'LED-3'],
  'while the ledger cannot write no call passes, and it resumes by itself',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    const reached = world.books.arrived.length

    const holder = new DatabaseSync(join(world.dataDir, 'ledger.db'), { timeout: 5_000 })
    holder.exec('BEGIN IMMEDIATE')
    for (const message of [callTool('echo'), listTools, { jsonrpc: '2.0', method: 'notifications/initialized' }]) {
      const answer = await world.post({ token, message })
      expect(answer.status).toBe(503)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(answer.body).toMatchObject({ error: { data: { code: 'gateway.ledger-unavailable' } } })
    }
    expect((await world.post({ message: callTool('echo') })).status).toBe(503)
    const { name, password } = world.ana
    const body = { name, password, code: world.ana.nextCode() }
    const signIn = await callAdmin(world.adminUrl, { method: 'POST', path: '/sign-in', body })
    expect(signIn.status).toBe(503)
    expect((await fetch(`${world.adminUrl}/readyz`)).status).toBe(503)
    expect((await fetch(`${world.adminUrl}/livez`)).status).toBe(200)
    expect(world.books.arrived).toHaveLength(reached)

    holder.exec('ROLLBACK')
    holder.close()
    let status = 0
    for (let attempt = 0; attempt < 100 && status !== 200; attempt += 1) {
      await sleep(50)
      status = (await fetch(`${world.adminUrl}/readyz`)).status
    }
    expect(status).toBe(200)
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    expect(world.books.calls('tools/call')).toHaveLength(2)
    expect(await world.ledger('&event=ledger.recovered')).toHaveLength(1)
  },
  30_000,
)
