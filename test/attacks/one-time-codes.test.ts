/**
 * Someone looks over Ben's shoulder and types his one-time code again at once, with spaces, and 32 times in parallel;
 * someone else finds the sheet with his recovery codes and uses one that he has used.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callAdmin, type Person } from '../world/people.ts'
import type { World } from '../world/castellan.ts'

async function signIns(world: World, person: Person, codes: string[]): Promise<number[]> {
  const { name, password } = person
  const answers = codes.map((code) =>
    callAdmin(world.adminUrl, { method: 'POST', path: '/sign-in', body: { name, password, code } }),
  )
  return (await Promise.all(answers)).map((answer) => answer.status)
}

const succeeded = (statuses: number[]): number => statuses.filter((status) => status === 200).length

proves('SGN-2', 'a one-time code works once, however and however often it is typed', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const reached = world.books.arrived.length
  const code = ben.nextCode()
  const spaced = ` ${code.slice(0, 3)} ${code.slice(3)} `
  expect(succeeded(await signIns(world, ben, Array(16).fill(code).concat(Array(16).fill(spaced))))).toBe(1)
  world.clock.advance(16 * 60_000)
  expect(succeeded(await signIns(world, ben, [code]))).toBe(0)

  expect(world.books.arrived).toHaveLength(reached)
  const entries = await world.ledger('&person=ben')
  expect(entries.filter((entry) => entry.event === 'session.started')).toHaveLength(2)
})

proves('SGN-3', 'a recovery code works once, in any spelling', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const reached = world.books.arrived.length
  const code = ben.recoveryCodes[0] ?? ''
  const spellings = [code, code.toUpperCase(), code.replaceAll('-', ' '), ` ${code}`]
  expect(succeeded(await signIns(world, ben, spellings))).toBe(1)
  world.clock.advance(16 * 60_000)
  expect(succeeded(await signIns(world, ben, [code]))).toBe(0)

  expect(world.books.arrived).toHaveLength(reached)
  const refused = await world.ledger('&event=sign-in.refused')
  expect(refused.length).toBeGreaterThanOrEqual(4)
})
