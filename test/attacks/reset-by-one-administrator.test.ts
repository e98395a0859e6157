/**
 * Mallory is an administrator. She wants to become Bea, who is one too: she resets her alone, approves her own reset, takes
 * Bea's role away first, invites her anew, or uses a link that was used. Later she has a link for Ben's lost password.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import type { Person } from '../world/people.ts'

async function code(answer: ReturnType<Person['api']>): Promise<unknown> {
  const { status, body } = await answer
  return status < 300 ? status : body['code']
}

async function events(world: World, event: string): Promise<number> {
  return (await world.ledger(`&event=${event}`)).length
}

proves(
  'REC-1',
  'nobody resets an administrator alone, by any way around; nobody resets themselves',
  async () => {
    const world = await startWorld()
    const { ana } = world
    const [bea, mallory] = [await world.join('bea', ['admin']), await world.join('mallory', ['admin'])]
    const reached = world.books.arrived.length
    const lost = { kind: 'factors-lost', reason: 'she told me' }
    expect(await code(mallory.api('POST', '/people/bea/reset-second-factor', {}))).toBe('identity.reset-needs-two')
    const { body } = await mallory.api('POST', '/people/bea/resets', lost)
    const { id } = body['reset'] as { id: string }
    expect(body['link']).toBeNull()
    expect(await code(mallory.api('POST', `/resets/${id}/approve`, {}))).toBe('identity.reset-needs-another')
    expect(await code(bea.api('POST', `/resets/${id}/approve`, {}))).toBe('identity.own-reset')
    expect(await code(mallory.api('POST', '/people/mallory/resets', lost))).toBe('identity.own-reset')
    expect(await code(mallory.api('DELETE', '/people/bea/roles/admin'))).toBe(200)
    expect(await code(mallory.api('POST', '/people/bea/reset-second-factor', {}))).toBe('identity.reset-needs-two')
    expect(await code(mallory.api('POST', '/people', { name: 'bea', roles: ['admin'] }))).toBe('identity.name-taken')
    expect((await bea.api('GET', '/me')).status).toBe(200)
    expect(await events(world, 'person.sign-in-reset')).toBe(0)

    const approved = await ana.api('POST', `/resets/${id}/approve`, {})
    const link = approved.body['link'] as { url: string }
    expect(link.url).toContain('/setup#cse_')
    expect((await bea.api('GET', '/me')).status).toBe(401)
    expect(await code(ana.api('POST', `/resets/${id}/approve`, {}))).toBe('identity.reset-unknown')
    expect(world.books.arrived).toHaveLength(reached)
    const [taken] = await world.ledger('&event=person.sign-in-reset')
    expect(taken?.details?.['approvedBy']).toHaveLength(2)
    expect(await events(world, 'reset.refused')).toBe(4)
  },
  60_000,
)

proves(
  'REC-2',
  'the link of a reset opens nothing without a factor that is left, works once, and ends what was open',
  async () => {
    const world = await startWorld()
    const { ana, gatewayUrl } = world
    const ben = await world.join('ben', [reader])
    const token = await ben.mint('books')
    const reached = world.books.arrived.length
    const started = await ana.api('POST', '/people/ben/resets', { kind: 'password-lost', reason: 'he called' })
    const { url } = started.body['link'] as { url: string }
    const key = url.split('#')[1] ?? ''
    expect(url).toBe(`${gatewayUrl}/recover#${key}`)
    const mallory = createPageClient(gatewayUrl)
    const password = 'what mallory would like it to be'
    const guessed = await mallory.submit('/recover', { key, code: '000000', password })
    expect(guessed.status).toBe(422)
    expect((await ben.api('GET', '/me')).status).toBe(200)

    const browser = createPageClient(gatewayUrl)
    const own = { key, code: ben.nextCode(), password: 'a new sentence about the keep' }
    expect((await browser.submit('/recover', own)).status).toBe(200)
    const reused = await mallory.submit('/recover', { key, code: ben.recoveryCodes[0] ?? '', password })
    expect(reused.status).toBe(404)
    expect((await ben.api('GET', '/me')).status).toBe(401)
    const call = { jsonrpc: '2.0', id: 1, method: 'ping' }
    expect((await world.post({ token, message: call })).status).toBe(401)

    expect(world.books.arrived).toHaveLength(reached)
    const [finished, ...more] = await world.ledger('&event=reset.finished')
    expect([finished?.principal?.name, finished?.details?.['factor'], more]).toEqual(['ben', 'totp', []])
    expect(await events(world, 'reset.refused')).toBe(2)
  },
  60_000,
)
