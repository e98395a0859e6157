/**
 * Mallory can write to the ledger's file and wants one call never to have happened: she edits its entry, deletes it,
 * swaps it with another, or cuts the end off, also together with the signed heads that speak of it.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { verifyLedger } from '#audit'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool } from '../world/messages.ts'

proves('LED-5', 'whatever is done to the entry of a call, offline verification says so and names it', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  for (const text of ['one', 'two', 'three']) await world.post({ token, message: callTool('echo', text) })
  const upstreamSaw = world.books.calls('tools/call').length
  const intents = await world.ledger('&event=call.intended')
  const wanted = intents[1]?.seq ?? 0
  await world.stop()
  expect(await verifyLedger({ folder: world.dataDir })).toMatchObject({ holds: true })

  const attacks: [string, string, string, number][] = [
    ['edits', `update entries set body = replace(body, '"echo"', '"list"') where seq = ${wanted}`, 'changed', wanted],
    ['deletes', `delete from entries where seq = ${wanted}`, 'missing', wanted],
    [
      'swaps',
      `update entries set seq = -1 where seq = ${wanted}; update entries set seq = ${wanted} where seq = ${wanted + 1};
       update entries set seq = ${wanted + 1} where seq = -1`,
      'reordered',
      wanted,
    ],
    ['cuts', `delete from entries where seq >= ${wanted}`, 'truncated', wanted],
    [
      'cuts with heads',
      `delete from entries where seq >= ${wanted}; delete from heads where size >= ${wanted}`,
      'truncated',
      wanted,
    ],
  ]
  for (const [name, statements, kind, seq] of attacks) {
    const folder = join(temporaryFolder(), 'copy')
    cpSync(world.dataDir, folder, { recursive: true, filter: (path) => !path.includes('upstreams') })
    const file = new DatabaseSync(join(folder, 'ledger.db'))
    file.exec(statements)
    file.close()
    const verified = await verifyLedger({ folder })
    expect(verified.holds, name).toBe(false)
    expect(verified.firstProblem, name).toMatchObject({ kind, seq })
  }
  expect(upstreamSaw).toBe(3)
})
