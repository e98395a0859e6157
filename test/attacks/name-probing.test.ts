/**
 * A stranger tries names to find out which exist, by comparing the answers.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { signInFrom } from '../world/sign-in.ts'

proves('SGN-6', 'known and unknown names, wrong passwords and wrong codes are answered alike', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const tries = [
    { name: 'ben', password: 'wrong password of ben', code: '000000' },
    { name: 'nobody', password: 'wrong password of ben', code: '000000' },
    { name: 'ben', password: ben.password, code: '000000' },
  ]
  const answers = []
  for (const [index, body] of tries.entries()) answers.push(await signInFrom(world, `127.0.1.${index + 1}`, body))
  const told = answers.map(({ status, body: { request_id: _, ...rest } }) => ({ status, ...rest }))
  expect(told[1]).toEqual(told[0])
  expect(told[2]).toEqual(told[0])
  expect(world.books.calls()).toHaveLength(0)
  expect(await world.ledger('&event=sign-in.refused')).toHaveLength(3)
})
