/**
 * Someone looks over Ben's shoulder and types his one-time code again: at once, with spaces, 32 times in parallel, and
 * after its time.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { countSignIns } from '../world/sign-in.ts'

proves('SGN-2', 'a one-time code works once, however and however often it is typed', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const reached = world.books.arrived.length
  const code = ben.nextCode()
  const spaced = ` ${code.slice(0, 3)} ${code.slice(3)} `
  expect(await countSignIns(world, ben, Array(16).fill(code).concat(Array(16).fill(spaced)))).toBe(1)
  world.clock.advance(16 * 60_000)
  expect(await countSignIns(world, ben, [code])).toBe(0)

  expect(world.books.arrived).toHaveLength(reached)
  const entries = await world.ledger('&person=ben')
  expect(entries.filter((entry) => entry.event === 'session.started')).toHaveLength(2)
})
