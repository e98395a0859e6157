/**
 * Someone reads the set-up link from a terminal's scroll-back: used already, too old, or raced by thirty tries at once.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callAdmin } from '../world/people.ts'
import { oneTimeCode } from '../world/one-time-code.ts'

proves(['SGN-7', 'SGN-1'], 'an invitation works once, for 24 hours, and not without the second factor', async () => {
  const world = await startWorld()
  const post = (path: string, body: unknown) => callAdmin(world.adminUrl, { method: 'POST', path, body })
  const invite = async (name: string) =>
    String((await world.ana.api('POST', '/people', { name, roles: [] })).body['token'])
  const token = await invite('ben')
  const chosen = await post('/enrolments/choose', { token, name: 'ben', password: 'correct horse battery' })
  expect((await post('/enrolments/finish', { token })).status).toBeGreaterThanOrEqual(400)
  expect((await post('/enrolments/finish', { token, code: '000000' })).status).toBeGreaterThanOrEqual(400)
  const code = oneTimeCode(String(chosen.body['secret']), world.clock.now())
  const finishes = await Promise.all(Array.from({ length: 10 }, () => post('/enrolments/finish', { token, code })))
  expect(finishes.filter(({ status }) => status === 200)).toHaveLength(1)
  expect((await post('/enrolments/begin', { token })).status).toBe(404)
  const none = await post('/sign-in', { name: 'ben', password: 'correct horse battery' })
  expect(none.status).toBeGreaterThanOrEqual(400)

  const late = await invite('late')
  world.clock.advance(24 * 3_600_000)
  expect((await post('/enrolments/begin', { token: late })).status).toBe(404)
  expect((await post('/enrolments/begin', { token: 'cse_unknown' })).status).toBe(404)
  expect(world.books.calls()).toHaveLength(0)
  await world.ana.signIn()
  expect(await world.ledger('&event=person.enrolled')).toHaveLength(2)
})
