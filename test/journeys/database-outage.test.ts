import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { reader, startWorld } from '../world/castellan.ts'
import { freshPostgres } from '../world/databases.ts'
import { openLine } from '../world/machine/line.ts'
import { callTool } from '../world/messages.ts'

const minute = 60_000
/** How long the last proof that nothing has changed is believed. */
const trustedMs = 1_100

async function startOnALine() {
  const line = await openLine(await freshPostgres())
  const world = await startWorld({ env: { CASTELLAN_DATABASE__URL: line.url } })
  const token = await (await world.join('ben', [reader])).mint('books')
  const call = () => world.post({ token, message: callTool('echo') })
  expect((await call()).body).toHaveProperty('result')
  return { line, world, call, arrived: () => world.books.calls('tools/call').length }
}

describe('while the database cannot be asked', () => {
  test('its loss refuses calls at once, tells when to come back, and ends by itself', async () => {
    const { line, world, call, arrived } = await startOnALine()
    const before = arrived()
    line.cut()
    await expect.poll(async () => (await call()).status, { timeout: 5_000 }).toBe(503)
    const refused = await call()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    expect(refused.body).toMatchObject({ error: { data: { code: 'gateway.database-unavailable' } } })
    expect(arrived() - before).toBe(0)
    const admin = await world.ana.api('GET', '/people')
    expect([admin.status, admin.body['code']]).toEqual([503, 'admin.database-unavailable'])
    line.mend()
    await expect.poll(async () => (await call()).body, { timeout: 5_000 }).toHaveProperty('result')
    const refusals = (await world.ledger('&event=call.refused')).map((entry) => entry.refusal)
    expect(refusals).toContain('gateway.database-unavailable')
  })

  test('its silence on an open connection holds a call for twenty seconds at most', { timeout: minute }, async () => {
    const { line, call, arrived } = await startOnALine()
    const before = arrived()
    line.freeze()
    await sleep(trustedMs)
    const startedAt = performance.now()
    const refused = await call()
    expect(performance.now() - startedAt).toBeLessThan(25_000)
    expect(refused.body).toMatchObject({ error: { data: { code: 'gateway.database-unavailable' } } })
    expect(arrived() - before).toBe(0)
    line.thaw()
    await expect.poll(async () => (await call()).body, { timeout: 10_000 }).toHaveProperty('result')
  })
})
