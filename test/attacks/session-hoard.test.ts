/**
 * Mallory signs in as Ben again and again, from elsewhere, with what she has stolen, to keep sessions in stock.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { signInFrom } from '../world/sign-in.ts'

proves(
  'SGN-9',
  'one session more than allowed ends the oldest, and the person is told of the other place',
  async () => {
    const world = await startWorld({ env: { CASTELLAN_IDENTITY__SESSIONS_PER_PERSON: '3' } })
    const ben = await world.join('ben', [reader])
    const reached = world.books.arrived.length
    const request = () => ({ name: 'ben', password: ben.password, code: ben.nextCode() })
    for (const sign of [1, 2]) expect((await signInFrom(world, '127.0.0.9', request())).status, `${sign}`).toBe(200)
    expect((await ben.api('GET', '/me')).status).toBe(200)
    const { body } = await ben.api('GET', '/account/notices')
    expect(body['items']).toMatchObject([
      { kind: 'sign-in-from-elsewhere', details: { address: '127.0.0.9' }, isRead: false },
    ])

    expect((await signInFrom(world, '127.0.0.9', request())).status).toBe(200)
    expect((await ben.api('GET', '/me')).status).toBe(401)
    expect(world.books.arrived).toHaveLength(reached)
    const started = await world.ledger('&event=session.started&person=ben')
    expect(started.map(({ details }) => details?.['endedSessions'])).toEqual([undefined, undefined, undefined, 1])
  },
)
