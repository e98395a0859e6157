/**
 * An incident: an administrator stops a person, a tool, a server, then everything, while calls are running. The person
 * who is stopped keeps trying.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool, listTools } from '../world/messages.ts'

proves('POL-3', 'a hold stops the next call and the running ones, until it is lifted', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const token = await ben.mint('books')
  const holds = [
    { kind: 'person', subject: 'ben' },
    { kind: 'tool', subject: 'books/drip' },
    { kind: 'upstream', subject: 'books' },
    { kind: 'everything', subject: '' },
  ]
  for (const [count, hold] of holds.entries()) {
    const running = world.post({ token, message: callTool('drip') })
    while (world.books.openStreams() === 0) await sleep(10)
    const placed = await world.ana.api('POST', '/holds', { ...hold, reason: 'incident' })
    expect(placed.status, JSON.stringify(placed.body)).toBeLessThan(300)
    const heldAt = Date.now()
    expect((await running).body).toMatchObject({ error: { data: { code: 'gateway.held' } } })
    expect(Date.now() - heldAt).toBeLessThan(1_000)
    const next = await world.post({ token, message: callTool('drip') })
    expect(next.status).toBe(403)
    expect(next.body).toMatchObject({ error: { message: expect.stringContaining('incident') } })
    expect(world.books.calls('tools/call')).toHaveLength(count + 1)
    await world.ana.api('DELETE', `/holds/${String(placed.body['id'])}`)
    expect((await world.post({ token, message: listTools })).status).toBe(200)
  }
  await entriesOf(world, 'event=call.cut', 4)
  expect(await world.ledger('&refusal=gateway.held')).toHaveLength(8)
})

proves('POL-3', 'a hold on one tool leaves the others and hides the tool', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  await world.ana.api('POST', '/holds', { kind: 'tool', subject: 'books/echo', reason: 'incident' })
  const listed = await world.post({ token, message: listTools })
  expect(JSON.stringify(listed.body)).not.toContain('"echo"')
  expect((await world.post({ token, message: callTool('secret_tool') })).body['result']).toBeDefined()
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(403)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  expect(await world.ledger('&refusal=gateway.held')).toHaveLength(1)
})
