/**
 * Someone hopes that a call reaches a server before its intent is on record, so that a crash in between leaves no trace.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { entriesOf } from '../world/edge/entries.ts'

proves('LED-1', 'when a call arrives at the upstream, its intent is in the ledger file already', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const counted: [number, number][] = []
  const file = new DatabaseSync(join(world.dataDir, 'ledger.db'), { readOnly: true })
  const intents = file.prepare('select count(*) as n from entries where body like \'%"call.intended"%\'')
  let arrivals = 0
  world.books.onCall = () => {
    arrivals += 1
    counted.push([Number(intents.get()?.['n']), arrivals])
  }
  const calls = Array.from({ length: 50 }, (_, index) => world.post({ token, message: callTool('echo', 'x', index) }))
  for (const { status } of await Promise.all(calls)) expect(status).toBe(200)
  file.close()
  expect(counted).toHaveLength(50)
  expect(counted.filter(([intended, arrived]) => intended < arrived)).toEqual([])
  await entriesOf(world, 'event=call.completed', 50)
})
