/**
 * Bea signs in by a provider and has no password here. Somebody at her open browser wants calls of hers to pass by that
 * alone: without any factor, with a wrong code, with a recovery code, and to add a factor of their own with what they saw.
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startLyingWorld } from '../world/identity-provider/lying-world.ts'
import { createVisitor } from '../world/identity-provider/visitor.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { callAdmin, enrol } from '../world/people.ts'
import { linkIn, pay, payer, startPayments } from '../world/step-up/payments.ts'

const isAsked = { body: { error: { data: { code: 'gateway.step-up-needed' } } } }

proves('STU-2', 'whoever has no factor here is told how to get one, and proves nothing until then', async () => {
  const lying = await startLyingWorld()
  const { world, provider } = lying
  provider.says.idToken = { preferred_username: 'bea' }
  const visitor = createVisitor()
  await lying.signIn(visitor)
  expect((await world.ana.api('PUT', '/roles/payer', payer)).status).toBe(200)
  expect((await world.ana.api('PUT', '/people/bea/roles/payer')).status).toBe(200)
  const session = visitor.cookie(world.gatewayUrl, /^castellan-\d+$/) ?? ''
  const resource = `${world.gatewayUrl}/servers/books/mcp`
  const body = { label: 'bea test', resource, ttlSeconds: 3600 }
  const minted = await callAdmin(world.adminUrl, { method: 'POST', path: '/tokens', body, token: session })
  const token = String(minted.body['token'])
  const path = linkIn(await world.post({ token, message: pay(10) }))
  expect(path).not.toBe('')

  const page = await visitor.get(`${world.gatewayUrl}${path}`)
  expect(page.status).toBe(200)
  expect(page.text).toContain('/account">your account page')
  expect(page.text).toContain(`/sso/lies/prove?next=${encodeURIComponent(path)}`)
  for (const field of ['name="password"', 'name="code"', 'value="prove"']) expect(page.text).not.toContain(field)
  for (const typed of [{}, { password: '', code: '000000' }, { code: '123456' }]) {
    const fields = { form: page.hidden('form'), 'answer-is': 'prove', ...typed }
    expect((await visitor.post(`${world.gatewayUrl}${path}`, fields)).status).toBe(403)
  }
  expect(await world.post({ token, message: pay(10) })).toMatchObject(isAsked)
  expect(await world.ledger('&event=step-up.proved')).toEqual([])

  const invited = await world.ana.api('POST', '/people', { name: 'bea', roles: [] })
  const { adminUrl, gatewayUrl, clock } = world
  const bea = await enrol({ adminUrl, gatewayUrl, clock }, String(invited.body['token']), 'bea')
  const form = (await visitor.get(`${gatewayUrl}${path}`)).hidden('form')
  const fields = { form, 'answer-is': 'prove', password: bea.password, code: bea.nextCode() }
  expect((await visitor.post(`${gatewayUrl}${path}`, fields)).text).toContain('<h1>Proved</h1>')
  expect(await world.post({ token, message: pay(10) })).toMatchObject({ body: { result: {} } })
  expect(await world.post({ token, message: pay(10) })).toMatchObject(isAsked)
  expect(world.books.calls('tools/call')).toHaveLength(1)
})

proves(
  'STU-2',
  'whoever has an authenticator and no password proves a code for a call, and nothing else with it',
  async () => {
    const { world, ben, token, browser } = await startPayments()
    const path = linkIn(await world.post({ token, message: pay(10) }))
    const codeAlone = () => ({ code: ben.nextCode(), 'answer-is': 'prove' })
    expect((await browser.submit(path, codeAlone(), path)).status).toBe(403)
    const database = new DatabaseSync(join(world.dataDir, 'castellan.db'))
    database.prepare("update people set password_hash = null where name = 'ben'").run()
    database.close()

    const page = await browser.request(path)
    expect(page.text).toContain('name="code"')
    expect(page.text).not.toContain('name="password"')
    const wrong = [
      {},
      { code: '' },
      { code: '000000' },
      { code: ben.recoveryCodes[0] ?? '' },
      { password: ben.password },
    ]
    for (const typed of wrong) {
      const refused = await browser.submit(path, { ...typed, 'answer-is': 'prove' }, path)
      expect([typed, refused.status]).toEqual([typed, 403])
    }
    expect(await world.post({ token, message: pay(10) })).toMatchObject(isAsked)
    for (const password of ['', ben.password]) {
      const added = await browser.submit('/account/passkeys/add', { password, code: ben.nextCode() })
      expect([password, added.status]).toEqual([password, 403])
      const signedIn = { name: 'ben', password, code: ben.nextCode() }
      expect((await createPageClient(world.gatewayUrl).submit('/sign-in', signedIn)).status).not.toBe(303)
    }
    const fields = codeAlone()
    expect((await browser.submit(path, fields, path)).text).toContain('<h1>Proved</h1>')
    const other = linkIn(await world.post({ token, message: pay(11) }))
    expect((await browser.submit(other, fields, other)).status).toBe(403)
    expect(world.books.calls('tools/call')).toEqual([])
    expect(await world.post({ token, message: pay(10) })).toMatchObject({ body: { result: {} } })
    expect(await world.post({ token, message: pay(11) })).toMatchObject(isAsked)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    const [proved, ...more] = await world.ledger('&event=step-up.proved')
    expect(more).toEqual([])
    expect(proved?.details?.['factors']).toEqual(['totp'])
    const intended = (await world.ledger('&event=call.intended')).filter(({ details }) => details?.['stepUp'])
    expect(intended.map(({ details }) => details?.['stepUp'])).toMatchObject([{ factors: ['totp'], round: 0 }])
  },
)
