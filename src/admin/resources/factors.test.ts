import { expect, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { createAuthenticator } from '../../../test/world/keys/authenticator.ts'

eachDatabase('factors', (open) => {
  test('are asked of an administrator who needs a passkey: nothing else is answered until there is one', async () => {
    const world = await openAdminWorld({ database: await open(), administratorsNeedPasskey: true })
    const ana = await world.enrolAdmin()
    for (const path of ['/people', '/tokens', '/account/notices', '/me/sessions']) {
      const { status, body } = await ana.api('GET', path)
      expect([path, status, body['code']]).toEqual([path, 403, 'identity.passkey-needed'])
    }
    const minting = { label: 'x', resource: 'http://localhost:8090/mcp', ttlSeconds: 60 }
    expect((await ana.api('POST', '/tokens', minting)).status).toBe(403)
    expect((await ana.api('GET', '/me')).status).toBe(200)
    const proof = { password: ana.password, code: ana.nextCode() }
    const asked = (await ana.api('POST', '/me/passkeys/begin', { proof })).body
    const answer = createAuthenticator().register(asked['options'])
    const added = await ana.api('POST', '/me/passkeys', { state: asked['state'], answer, name: 'ring' })
    expect([added.status, added.body['name'], added.body['isSynced']]).toEqual([201, 'ring', false])
    expect((await ana.api('GET', '/people')).status).toBe(200)
  })

  test('are listed for administrators and their person, and one is taken by another administrator only', async () => {
    const world = await openAdminWorld({ database: await open() })
    const ana = await world.enrolAdmin()
    const ben = await world.join(ana, 'ben', ['viewer'])
    const kinds = async (asker: typeof ana, path: string) =>
      ((await asker.api('GET', path)).body['items'] as { id: string; kind: string }[]).map(({ kind }) => kind)
    expect(await kinds(ana, '/people/ben/factors')).toEqual(['password', 'totp', 'recovery-codes'])
    expect(await kinds(ben, '/me/factors')).toEqual(['password', 'totp', 'recovery-codes'])
    expect((await ben.api('DELETE', '/people/ana/factors/recovery-codes')).status).toBe(403)
    expect((await ana.api('DELETE', '/people/ana/factors/recovery-codes')).status).toBe(409)
    expect((await ana.api('DELETE', '/people/ben/factors/password')).status).toBe(404)
    expect((await ana.api('DELETE', '/people/ben/factors/recovery-codes')).body['kind']).toBe('recovery-codes')
    expect((await ben.api('GET', '/me')).status).toBe(401)
    await ben.signIn()
    const notices = (await ben.api('GET', '/account/notices')).body['items']
    expect(notices).toMatchObject([{ kind: 'factor-revoked', isRead: false }])
    await ben.api('POST', '/account/notices/read', {})
    expect((await ben.api('GET', '/account/notices')).body['items']).toMatchObject([{ isRead: true }])
  })
})
