/**
 * Somebody left: their directory says `active: false`, or takes them away. They hold on to a session, tokens and open
 * streams on two nodes, and hope to be let in again by the next round of the directory after an administrator stopped them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { addDirectory } from '../world/identity-provider/directory.ts'
import { callTool } from '../world/messages.ts'

async function untilStreams(world: World, count: number): Promise<void> {
  const until = Date.now() + 5_000
  while (world.books.openStreams() !== count && Date.now() < until) await sleep(10)
  expect(world.books.openStreams()).toBe(count)
}

proves(
  ['PRV-4', 'AUT-4'],
  'whom a directory stops or takes away has nothing open on any node within a second',
  async () => {
    const world = await startWorld({ database: 'postgres' })
    const other = await world.secondNode()
    const entra = await addDirectory(world)
    const id = await entra.makeUser('bea@example.com')
    await entra.makeGroup('Readers', [id])
    await world.ana.api('POST', '/scim-connections/entra/mappings', { group: 'Readers', role: reader })
    const bea = await world.join('bea', [])
    for (const end of ['stop', 'remove'] as const) {
      const before = world.books.calls('tools/call').length
      const token = await bea.mint('books')
      const there = await other.mint(bea.sessionToken(), 'books')
      const running = [
        world.post({ token, message: callTool('drip') }),
        world.post({ token: there, gatewayUrl: other.gatewayUrl, message: callTool('drip') }),
      ]
      await untilStreams(world, 2)
      const endedAt = Date.now()
      const ended =
        end === 'stop'
          ? await entra.patch(`/Users/${id}`, [{ op: 'Replace', value: { active: 'False' } }])
          : await entra.send('DELETE', `/Users/${id}`)
      expect(ended.status).toBeLessThan(300)
      for (const answer of await Promise.all(running)) expect(answer.body).toHaveProperty('error')
      expect(Date.now() - endedAt).toBeLessThan(1_000)
      await untilStreams(world, 0)
      expect((await bea.api('GET', '/tokens')).status).toBe(401)
      expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
      expect((await world.post({ token: there, gatewayUrl: other.gatewayUrl, message: callTool('echo') })).status).toBe(
        401,
      )
      expect(world.books.calls('tools/call')).toHaveLength(before + 2)
      if (end === 'remove') break
      await entra.patch(`/Users/${id}`, [{ op: 'Replace', value: { active: 'True' } }])
      await bea.signIn()
    }
    await expect(bea.signIn()).rejects.toThrow()
    const [suspended] = await entriesOf(world, 'event=person.suspended', 1)
    expect(suspended).toMatchObject({
      principal: { id: 'scim:entra' },
      details: { person: id, tokens: 2, sessions: 1 },
    })
    const [removed] = await entriesOf(world, 'event=scim.person-removed', 1)
    expect(removed?.details).toMatchObject({ person: id, tokens: 2, roles: { [reader]: 1 } })
  },
  90_000,
)

proves(
  'PRV-4',
  'a directory does not bring back whom an administrator stopped',
  async () => {
    const world = await startWorld()
    const entra = await addDirectory(world)
    const id = await entra.makeUser('bea@example.com')
    const bea = await world.join('bea', [])
    await world.ana.api('POST', '/people/bea/suspend', {})
    for (const [method, body] of [
      ['PUT', { userName: 'bea@example.com', active: true }],
      ['PATCH', { Operations: [{ op: 'replace', path: 'active', value: true }] }],
    ] as const) {
      const answer = await entra.send(method, `/Users/${id}`, { body })
      expect([answer.status, answer.body['active']]).toEqual([200, false])
    }
    await expect(bea.signIn()).rejects.toThrow()
    expect(await world.ledger('&event=person.resumed')).toEqual([])
    expect(world.books.calls('tools/call')).toHaveLength(0)
  },
  90_000,
)
