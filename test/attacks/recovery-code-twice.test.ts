/**
 * Someone finds the sheet with Ben's recovery codes and uses one that he has used, in other spellings.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { countSignIns } from '../world/sign-in.ts'

proves('SGN-3', 'a recovery code works once, in any spelling', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const reached = world.books.arrived.length
  const code = ben.recoveryCodes[0] ?? ''
  const spellings = [code, code.toUpperCase(), code.replaceAll('-', ' '), ` ${code}`]
  expect(await countSignIns(world, ben, spellings)).toBe(1)
  world.clock.advance(16 * 60_000)
  expect(await countSignIns(world, ben, [code])).toBe(0)

  expect(world.books.arrived).toHaveLength(reached)
  const refused = await world.ledger('&event=sign-in.refused')
  expect(refused.length).toBeGreaterThanOrEqual(4)
})
