import { expect, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { callAdmin } from '../../../test/world/people.ts'

eachDatabase('a session', (open) => {
  test('shows who it belongs to, ends itself, and is worth nothing afterwards', async () => {
    const world = await openAdminWorld({ database: await open() })
    const ana = await world.enrolAdmin()
    const me = await ana.api('GET', '/me')
    expect(me.body).toMatchObject({ person: { name: 'ana', roles: ['admin'], hasSecondFactor: true } })
    expect(me.body).toMatchObject({ factors: ['password', 'totp'], gatewayUrl: 'http://localhost:8090' })
    expect((await ana.api('POST', '/sign-out', {})).body).toEqual({ done: true })
    const after = await ana.api('GET', '/me')
    expect([after.status, after.body['code']]).toEqual([401, 'identity.session-invalid'])
  })

  test("another person's session and one that never was get one answer, and the session stays", async () => {
    const world = await openAdminWorld({ database: await open() })
    const ana = await world.enrolAdmin()
    const ben = await world.join(ana, 'ben', ['viewer'])
    const sessionId = String((await ana.api('GET', '/me')).body['sessionId'])
    const others = await ben.api('DELETE', `/me/sessions/${sessionId}`)
    const nobodys = await ben.api('DELETE', `/me/sessions/${crypto.randomUUID()}`)
    expect({ ...others.body, request_id: '' }).toEqual({ ...nobodys.body, request_id: '' })
    expect(others.status).toBe(404)
    expect((await ana.api('GET', '/me')).status).toBe(200)
  })

  test('a refused sign-in is one entry of the ledger with the address of the socket', async () => {
    const world = await openAdminWorld({ database: await open() })
    await world.enrolAdmin()
    const body = { name: 'ana', password: 'not the password of ana', code: '000000' }
    const refused = await callAdmin(world.adminUrl, { method: 'POST', path: '/sign-in', body })
    expect([refused.status, refused.body['code']]).toEqual([401, 'identity.sign-in-refused'])
    const entries = await world.ledger.read({ refusal: 'identity.sign-in-refused' })
    expect(entries).toMatchObject([{ event: 'sign-in.refused' }])
    expect(entries[0]?.address).toMatch(/^(127\.0\.0\.1|::1)$/)
    expect(JSON.stringify(entries)).not.toContain('not the password of ana')
  })
})

test('changing the password needs the present one and a fresh code, and ends the other sessions', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const first = ana.sessionToken()
  await ana.signIn()
  const wrong = { current: 'a wrong password', next: 'an entirely new sentence', code: ana.nextCode() }
  expect((await ana.api('POST', '/me/password', wrong)).body['code']).toBe('identity.proof-refused')
  const right = { current: ana.password, next: 'an entirely new sentence', code: ana.nextCode() }
  expect((await ana.api('POST', '/me/password', right)).status).toBe(200)
  expect((await callAdmin(world.adminUrl, { method: 'GET', path: '/me', token: first })).status).toBe(401)
})

test('new recovery codes are ten and come once', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const body = { password: ana.password, code: ana.nextCode() }
  const answer = await ana.api('POST', '/me/recovery-codes', body)
  const codes = answer.body['recoveryCodes'] as string[]
  expect(new Set([...codes, ...ana.recoveryCodes]).size).toBe(20)
  expect(JSON.stringify(await world.ledger.read({ limit: 1000 }))).not.toContain(codes[0])
})
