/**
 * Someone finds a laptop with a signed-in command line: after the session was idle too long, after it grew too old
 * although it was used all day, and after it was signed out.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'

const minute = 60_000

proves('SES-3', 'a session ends when idle for 30 minutes, after 8 hours of use, and at sign-out', async () => {
  const world = await startWorld()
  const { ana, clock } = world
  const status = async (): Promise<number> => (await ana.api('GET', '/me')).status
  clock.advance(30 * minute - 1)
  expect(await status()).toBe(200)
  clock.advance(30 * minute)
  expect(await status()).toBe(401)
  expect(
    (
      await ana.api('POST', '/tokens', {
        label: 'x',
        resource: `${world.gatewayUrl}/servers/books/mcp`,
        ttlSeconds: 60,
      })
    ).status,
  ).toBe(401)

  await ana.signIn()
  for (let used = 20; used < 8 * 60; used += 20) {
    clock.advance(20 * minute)
    expect(await status(), `after ${used} minutes`).toBe(200)
  }
  clock.advance(20 * minute)
  expect(await status()).toBe(401)

  await ana.signIn()
  await ana.api('POST', '/sign-out', {})
  expect(await status()).toBe(401)
  expect(world.books.calls()).toHaveLength(0)
  await ana.signIn()
  expect((await world.ledger('&refusal=identity.session-invalid')).length).toBeGreaterThanOrEqual(4)
})
