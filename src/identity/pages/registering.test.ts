import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { atEnd } from '../../../test/ending.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { home, identityWorld } from '../../../test/world/identity.ts'
import { createPageClient } from '../../../test/world/pages/page-client.ts'

eachDatabase('an administrator who has to have a passkey and has none', (open) => {
  test('can sign in, see the account, add one and sign out, and do nothing else', async () => {
    const world = await identityWorld(await open(), { administratorsNeedPasskey: true })
    const { front } = world.identity
    const server = createServer((req, res) => {
      const [path = ''] = (req.url ?? '').split('?', 1)
      void front.answer(req, res, { path, exchangeId: 'one', address: home })
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    atEnd(() => server.close())
    const browser = createPageClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const ada = await world.admin()
    const signedIn = await browser.submit('/sign-in', { name: 'ada', password: ada.password, code: ada.nextCode() })
    expect(signedIn.headers.location).toBe('/account')
    const statuses: Record<string, number> = {}
    for (const page of [
      '/account',
      '/account/passkeys/add',
      '/sign-out',
      '/account/password',
      '/device',
      '/account/recovery-codes',
    ])
      statuses[page] = (await browser.request(page)).status
    expect(statuses).toEqual({
      '/account': 200,
      '/account/passkeys/add': 200,
      '/sign-out': 200,
      '/account/password': 403,
      '/device': 403,
      '/account/recovery-codes': 403,
    })
    const ended = await browser.submit('/account', { all: 'others' }, '/account/sessions')
    expect([ended.status, ended.text.includes('You have none') || ended.text.includes('you have none')]).toEqual([
      403,
      true,
    ])
    expect((await browser.submit('/sign-out', {})).text).toContain('You are signed out')
  })
})
