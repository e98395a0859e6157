/**
 * Nobody answers for an agent any more: its time is over, its owner was suspended, it has another owner, somebody stopped
 * it. Whoever still has its token or its client's secret goes on trying, with a stream that is open since before.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { post } from '../world/oauth/client.ts'

const dayMs = 86_400_000

async function within(milliseconds: number, isTrue: () => boolean): Promise<void> {
  const until = Date.now() + milliseconds
  while (!isTrue() && Date.now() < until) await sleep(20)
  expect(isTrue()).toBe(true)
}

/** An agent of Ben's that reads books, with a token of its own and a client with a secret. */
async function agent(world: World) {
  const ben = await world.join('ben', [])
  const { ana, gatewayUrl } = world
  const resource = `${gatewayUrl}/servers/books/mcp`
  const fresh = { name: 'nightly', purpose: 'reads at night', owner: 'ben', days: 2, roles: [reader] }
  const made = await ana.api('POST', '/service-accounts', fresh)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  const body = { label: 'night', resource, ttlSeconds: 30 * 86_400 }
  const minted = await ana.api('POST', '/service-accounts/nightly/tokens', body)
  const added = await ana.api('POST', '/clients', {
    name: 'nightly',
    authentication: 'client_secret_basic',
    grantTypes: ['client_credentials'],
    personId: made.body['id'],
  })
  const { id } = added.body['client'] as { id: string }
  const basic = Buffer.from(`${id}:${String(added.body['secret'])}`).toString('base64')
  const fields = { grant_type: 'client_credentials', scope: 'mcp', resource }
  const ask = () => post(gatewayUrl, '/oauth/token', fields, { authorization: `Basic ${basic}` })
  return { ben, token: String(minted.body['token']), ask }
}

async function reasonOf(world: World, refusal: string): Promise<unknown> {
  return (await world.ledger(`&refusal=${refusal}`)).at(-1)?.details?.['reason']
}

proves(
  'SVC-2',
  'past its time nothing of an agent is good: token, client, open stream; renewed, its client goes on',
  async () => {
    const world = await startWorld()
    const { ben, token, ask } = await agent(world)
    const issued = String((await ask()).body['access_token'])
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    expect((await world.post({ token: issued, message: callTool('echo') })).status).toBe(200)
    world.clock.advance(2 * dayMs - 60_000)
    const late = String((await ask()).body['access_token'])
    const running = [
      world.post({ token, message: callTool('drip') }),
      world.post({ token: late, message: callTool('drip') }),
    ]
    await within(3_000, () => world.books.openStreams() === 2)
    const called = world.books.calls('tools/call').length

    world.clock.advance(60_000)
    const endedAt = Date.now()
    for (const { body } of await Promise.all(running)) {
      expect(body).toMatchObject({ error: { data: { code: 'identity.token-expired' } } })
    }
    expect(Date.now() - endedAt).toBeLessThan(1_000)
    await world.ana.signIn()
    for (const one of [token, late]) {
      expect((await world.post({ token: one, message: callTool('echo') })).status).toBe(401)
      expect(await reasonOf(world, 'identity.token-expired')).toBe('service-account-expired')
    }
    const refused = await ask()
    expect([refused.status, refused.body]).toEqual([401, expect.objectContaining({ error: 'invalid_client' })])
    expect(JSON.stringify(refused.body)).not.toContain('service')
    expect(await reasonOf(world, 'oauth.invalid_client')).toBe('service-account-expired')
    expect(world.books.calls('tools/call')).toHaveLength(called)

    await ben.signIn()
    expect((await ben.api('POST', '/service-accounts/nightly/renew', { days: 5 })).body['daysLeft']).toBe(5)
    const again = String((await ask()).body['access_token'])
    expect((await world.post({ token: again, message: callTool('echo') })).status).toBe(200)
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
  },
  60_000,
)

proves(
  'SVC-2',
  'its owner is suspended: everything of it stops within a second, until somebody else answers for it',
  async () => {
    const world = await startWorld({ database: 'postgres' })
    const { ben, token, ask } = await agent(world)
    const bens = await ben.api('POST', '/service-accounts/nightly/tokens', {
      label: 'a copy that ben keeps',
      resource: `${world.gatewayUrl}/servers/books/mcp`,
      ttlSeconds: 86_400,
    })
    const kept = String(bens.body['token'])
    const running = world.post({ token, message: callTool('drip') })
    await within(3_000, () => world.books.openStreams() === 1)
    const called = world.books.calls('tools/call').length
    await world.ana.api('POST', '/people/ben/suspend', {})
    const endedAt = Date.now()
    expect((await running).body).toMatchObject({ error: { data: { code: 'identity.token-invalid' } } })
    expect(Date.now() - endedAt).toBeLessThan(1_000)
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
    expect(await reasonOf(world, 'identity.token-invalid')).toBe('owner-not-active')
    expect((await ask()).status).toBe(401)
    expect(await reasonOf(world, 'oauth.invalid_client')).toBe('owner-not-active')
    expect(world.books.calls('tools/call')).toHaveLength(called)

    expect((await world.ana.api('POST', '/service-accounts/nightly/assign', { owner: 'ben' })).status).toBe(422)
    expect((await world.ana.api('POST', '/service-accounts/nightly/assign', { owner: 'ana' })).status).toBe(200)
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    expect((await world.post({ token: kept, message: callTool('echo') })).status).toBe(401)
    expect((await ask()).status).toBe(200)

    await world.ana.api('POST', '/people/ben/resume', {})
    await ben.signIn()
    for (const [verb, body] of [
      ['renew', {}],
      ['suspend', {}],
      ['tokens', { label: 'x', resource: `${world.gatewayUrl}/mcp`, ttlSeconds: 60 }],
    ] as const) {
      expect((await ben.api('POST', `/service-accounts/nightly/${verb}`, body)).status).toBe(403)
    }
    expect((await ben.api('GET', '/service-accounts/nightly')).status).toBe(403)
    await world.ana.api('POST', '/service-accounts/nightly/remove', {})
    expect((await ask()).status).toBe(401)
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
  },
  60_000,
)
