/**
 * A rule wants a proof of the last hour. Mallory holds a client whose person signed in this morning: she refreshes its
 * tokens, and makes a personal token from the session of this morning, so that what she shows is minutes old.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { obtainTokens, refresh } from '../world/oauth/client.ts'
import { publishPolicy } from '../world/step-up/approvals.ts'

const minuteMs = 60_000
const freshProof = `
@id("fresh")
forbid (principal, action in Castellan::Action::"tools:call", resource)
unless { context has factorAgeSeconds && context.factorAgeSeconds <= 3600 };
`
const denied = { body: { error: { data: { code: 'gateway.ruled-out' } } } }
const passed = { status: 200, body: { result: {} } }

for (const database of ['sqlite', 'postgres'] as const) {
  proves(
    'OAU-15',
    `a token is as old as the proof behind it, however young it is itself (${database})`,
    async () => {
      const world = await startWorld({ database })
      const { gatewayUrl, clock } = world
      const mallory = await world.join('mallory', [reader])
      await publishPolicy(world.ana, freshProof)
      const echo = (token: string) => world.post({ token, message: callTool('echo') })
      const tokens = await obtainTokens(gatewayUrl, mallory)
      expect(await echo(tokens.accessToken)).toMatchObject(passed)

      clock.advance(50 * minuteMs)
      const second = await refresh(gatewayUrl, tokens)
      expect(await echo(String(second.body['access_token']))).toMatchObject(passed)
      clock.advance(11 * minuteMs)
      const third = await refresh(gatewayUrl, { ...tokens, refreshToken: String(second.body['refresh_token']) })
      expect(third.status).toBe(200)
      expect(await echo(String(third.body['access_token']))).toMatchObject(denied)
      expect(world.books.calls('tools/call')).toHaveLength(2)

      const again = await obtainTokens(gatewayUrl, mallory)
      expect(await echo(again.accessToken)).toMatchObject(passed)
    },
    90_000,
  )
}

proves(
  'OAU-15',
  'a personal token is as old as the sign-in that it was made in',
  async () => {
    const world = await startWorld({ env: { CASTELLAN_IDENTITY__SESSION_IDLE_MINUTES: '240' } })
    const mallory = await world.join('mallory', [reader])
    await publishPolicy(world.ana, freshProof)
    world.clock.advance(59 * minuteMs)
    const token = await mallory.mint('books')
    expect(await world.post({ token, message: callTool('echo') })).toMatchObject(passed)
    world.clock.advance(2 * minuteMs)
    expect(await world.post({ token, message: callTool('echo') })).toMatchObject(denied)
    const another = await mallory.mint('books')
    expect(await world.post({ token: another, message: callTool('echo') })).toMatchObject(denied)
    expect(world.books.calls('tools/call')).toHaveLength(1)
  },
  90_000,
)
