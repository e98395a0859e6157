/**
 * Mallory fails in Ben's name on purpose, from many places, to lock him out of his own account.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { signInFrom } from '../world/sign-in.ts'

proves('SGN-5', 'failing in the name of another person does not keep that person out', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const reached = world.books.arrived.length
  const before = { name: 'ben', password: ben.password, code: ben.nextCode() }
  expect((await signInFrom(world, '127.0.0.1', before)).status).toBe(200)
  for (let guess = 0; guess < 40; guess += 1) {
    const from = `127.0.0.${10 + (guess % 8)}`
    await signInFrom(world, from, { name: 'ben', password: `guess number ${guess}`, code: '000000' })
  }
  const own = await signInFrom(world, '127.0.0.1', { name: 'ben', password: ben.password, code: ben.nextCode() })
  expect(own.status).toBe(200)

  expect(world.books.arrived).toHaveLength(reached)
  const refused = await world.ledger('&event=sign-in.refused')
  expect(refused.length).toBe(40)
})
