/**
 * Mallory guesses Ben's password under every spelling of his name that leads to him, to have more guesses than one spelling
 * has; and under spellings that only look like his.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { signInFrom } from '../world/sign-in.ts'

const same = ['ibn', 'IBN', ' ibn', 'ibn\t', 'ｉｂｎ', 'Ibn ', 'ⅰbn']
const others = ['İbn', 'ıbn', 'i\u0307bn', 'ib\u200Bn', 'іbn']

proves(
  'SGN-8',
  'all spellings of a name share its guesses, and look-alikes of it lead nowhere',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ibn', [reader])
    const statuses: number[] = []
    for (const name of same) {
      const tried = await signInFrom(world, '127.0.0.9', { name, password: 'a guess', code: '000000' })
      statuses.push(tried.status)
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
    for (const [index, name] of others.entries()) {
      const right = { name, password: ben.password, code: ben.nextCode() }
      expect((await signInFrom(world, `127.0.0.${20 + index}`, right)).status).toBe(401)
    }
    expect(world.books.calls()).toHaveLength(0)
    const refused = await world.ledger('&event=sign-in.refused')
    expect(refused.filter(({ principal }) => principal?.name === 'ibn')).toHaveLength(5)
    expect(refused).toHaveLength(same.length + others.length)
  },
  60_000,
)
