/**
 * One node has found that the official engine judges the rules in force otherwise than it did itself. Mallory knows which
 * call passes by that mistake: she makes it at another node, after a restart, and once the same rules are published again.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { distrustRulesInForce } from '../world/policies/distrust.ts'

const denied = { status: 404, body: { error: { data: { code: 'gateway.server-unknown' } } } }
const passed = { status: 200, body: { result: {} } }

for (const database of ['sqlite', 'postgres'] as const) {
  proves(
    'CHG-7',
    `rules with which the official engine disagreed let nothing pass on any node until others are published (${database})`,
    async () => {
      const world = await startWorld({ database })
      const { ana, books, clock } = world
      const mallory = await world.join('mallory', [reader])
      const second = await world.secondNode()
      const token = await mallory.mint('books')
      const atSecond = await second.mint(mallory.sessionToken(), 'books')
      const calls = () => [
        world.post({ token, message: callTool('echo') }),
        world.post({ token: atSecond, message: callTool('echo'), gatewayUrl: second.gatewayUrl }),
      ]
      for (const answer of await Promise.all(calls())) expect(answer).toMatchObject(passed)
      const before = books.calls('tools/call').length

      await distrustRulesInForce(world.databaseUrl, clock.now())
      await expect.poll(async () => Promise.all(calls()), { timeout: 5_000 }).toMatchObject([denied, denied])
      expect((await ana.api('GET', '/policy/snapshot')).body).toMatchObject({ isDistrusted: true })
      const arrived = books.calls('tools/call').length
      const { body } = await ana.api('GET', '/roles')
      const roles = body['items'] as { name: string; grants: object[] }[]
      const grants = roles.find(({ name }) => name === reader)?.grants ?? []
      const put = (more: object) => ana.api('PUT', `/roles/${reader}`, { grants, ...more })
      expect(await put({ description: 'the same, told otherwise' })).toMatchObject({ status: 200 })
      for (const answer of await Promise.all(calls())) expect(answer).toMatchObject(denied)
      expect(books.calls('tools/call')).toHaveLength(arrived)
      expect(arrived - before).toBeLessThanOrEqual(2)

      const more = { permissions: ['tools:call'], resources: ['books/tools/another'] }
      expect(await put({ grants: [...grants, more] })).toMatchObject({ status: 200 })
      await expect.poll(async () => Promise.all(calls()), { timeout: 5_000 }).toMatchObject([passed, passed])
      expect((await ana.api('GET', '/policy/snapshot')).body).toMatchObject({ isDistrusted: false })
      const refused = await world.ledger('&event=call.refused')
      expect(JSON.stringify(refused)).toContain('distrusted')
    },
    90_000,
  )
}
