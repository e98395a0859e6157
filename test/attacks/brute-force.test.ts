/**
 * Mallory guesses Ben's password; when she has it, she is not let in any more than before.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { signInFrom } from '../world/sign-in.ts'

proves('SGN-4', 'after five failures guessing is blocked, the right password included', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const reached = world.books.arrived.length
  for (let guess = 0; guess < 5; guess += 1) {
    const tried = await signInFrom(world, '127.0.0.9', {
      name: 'ben',
      password: `guess number ${guess}`,
      code: '000000',
    })
    expect(tried.status).toBe(401)
  }
  const blocked = await signInFrom(world, '127.0.0.9', { name: 'ben', password: ben.password, code: ben.nextCode() })
  expect(blocked.status).toBe(429)
  expect(Number(blocked.retryAfter)).toBeGreaterThan(0)

  expect(world.books.arrived).toHaveLength(reached)
  expect(await world.ledger('&event=sign-in.refused')).toHaveLength(6)
})
