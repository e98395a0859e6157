/**
 * Mallory was a chief this morning and is none any more; her old token says otherwise and ends tonight. And a person of an
 * issuer is stopped here, whatever their issuer says.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { startIssuerWorld } from '../world/issuers/world.ts'
import { callTool } from '../world/messages.ts'

const mallory = { sub: 'mallory', name: 'Mallory' }

proves(
  ['TOK-5', 'AUT-4'],
  'what a newer token takes away is gone at once, for older tokens and running calls too',
  async () => {
    const world = await startIssuerWorld()
    const { issuer, resource, books } = world
    const chief = issuer.token(resource, { ...mallory, groups: ['chiefs'] })
    expect((await world.post({ token: chief, message: callTool('secret_tool') })).body).toHaveProperty('result')
    const running = world.post({ token: chief, message: callTool('drip', 'x', 'drip') })
    while (books.openStreams() === 0) await sleep(10)
    world.clock.advance(5_000)
    const calls = books.calls('tools/call').length

    const now = issuer.token(resource, { ...mallory, groups: ['staff'] })
    expect((await world.post({ token: now, message: callTool('secret_tool') })).body).toHaveProperty('error')
    expect((await running).body).toMatchObject({ id: 'drip', error: { data: { code: 'identity.token-invalid' } } })
    const late = await world.post({ token: chief, message: callTool('secret_tool') })
    expect(late.status).toBe(401)

    expect(books.calls('tools/call')).toHaveLength(calls)
    const refused = await world.ledger('&refusal=identity.token-invalid')
    expect(refused.find(({ event }) => event === 'call.refused')?.details).toMatchObject({ reason: 'superseded' })
    const told = await entriesOf(world, 'event=person.claims-changed', 1)
    expect(told[0]?.details).toMatchObject({ subject: 'mallory', roles: ['books-reader'] })
  },
)

proves(
  ['TOK-5', 'POL-3', 'AUT-4'],
  'a hold and a suspension stop a person of another issuer, with any token',
  async () => {
    const world = await startIssuerWorld()
    const { issuer, resource, ana } = world
    const call = (token: string) => world.post({ token, message: callTool('echo') })
    expect((await call(issuer.token(resource, mallory))).status).toBe(200)
    const { body } = await ana.api('GET', '/people')
    const { id } = (body['items'] as { id: string; displayName: string }[]).find(
      (one) => one.displayName === 'Mallory',
    ) ?? { id: '' }
    const calls = world.books.calls('tools/call').length
    const held = await ana.api('POST', '/holds', { kind: 'person', subject: id, reason: 'looked at' })
    expect((await call(issuer.token(resource, mallory))).status).toBe(403)
    await ana.api('DELETE', `/holds/${String(held.body['id'])}`)
    await ana.api('POST', `/people/${id}/suspend`, {})
    expect((await call(issuer.token(resource, mallory))).status).toBe(401)
    expect(world.books.calls('tools/call')).toHaveLength(calls)
    expect((await call(issuer.token(resource))).status).toBe(200)
    const refused = (await world.ledger('&event=call.refused')).map(({ refusal }) => refusal)
    expect(refused).toEqual(['gateway.held', 'identity.token-invalid'])
  },
)

proves('TOK-5', 'a claim that spells a role, or the name of somebody here, gives nothing of theirs', async () => {
  const world = await startIssuerWorld()
  const { issuer, resource } = world
  const spelled = {
    ...mallory,
    groups: ['admin', 'books-reader', '__proto__'],
    roles: ['admin'],
    name: 'ana',
    sub: 'ana',
  }
  const attacked = await world.post({ token: issuer.token(resource, spelled), message: callTool('echo') })
  expect(attacked.status).toBe(404)
  const { body } = await world.ana.api('GET', '/people')
  expect((body['items'] as { name: string }[]).map(({ name }) => name)).toEqual([
    'ana',
    expect.stringMatching(/^ana\.ext-/),
  ])
  expect(await world.ledger('&refusal=gateway.server-unknown')).toHaveLength(1)
})
