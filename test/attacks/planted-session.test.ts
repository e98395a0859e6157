/**
 * The attacker knows the session cookie that a browser has before its person signs in: planted by another server on the
 * same machine, or left there by an earlier person. Afterwards the same cookie is to be the person's session.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { withBrowser } from '../world/browser.ts'
import { startWorld } from '../world/castellan.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { signInOn } from '../world/pages/visit-pages.ts'
import { makeAuthority } from '../world/wire/tls.ts'

proves('PAG-6', 'a session that was there before a sign-in is not the session after it, and has ended', async () => {
  const world = await startWorld()
  const { gatewayUrl, ana } = world
  const mallory = await world.join('mallory', [])
  const attacker = createPageClient(gatewayUrl)
  await attacker.signIn(mallory)
  const [name = '', planted = ''] = [...attacker.cookies].find(([, value]) => value.startsWith('css_')) ?? []
  const victim = createPageClient(gatewayUrl)
  victim.cookies.set(name, planted)
  await victim.signIn(ana)
  const own = victim.cookies.get(name)
  expect(own).toMatch(/^css_/)
  expect(own).not.toBe(planted)
  expect((await victim.request('/account')).text).toMatch(/signed in as\s*<strong>ana</)
  expect((await attacker.request('/account')).status).toBe(303)
  const ended = await world.ledger('&event=session.ended')
  expect(ended.at(-1)).toMatchObject({
    principal: { name: 'mallory' },
    details: { reason: 'signed in again in the same browser' },
  })
})

proves('PAG-6', 'a made-up, a repeated and a foreign cookie sign nobody in', async () => {
  const world = await startWorld()
  const { gatewayUrl, ana } = world
  const signedIn = createPageClient(gatewayUrl)
  await signedIn.signIn(ana)
  const [name = '', token = ''] = [...signedIn.cookies].find(([, value]) => value.startsWith('css_')) ?? []
  const minted = await ana.mint('books')
  const port = new URL(gatewayUrl).port
  const cookies = [
    `${name}=css_${'A'.repeat(43)}`,
    `${name}=${minted}`,
    `${name}=${token}; ${name}=css_${'A'.repeat(43)}`,
    `${name}=css_${'A'.repeat(43)}; ${name}=${token}`,
    `${name}="${token}"`,
    `${name}=${token} `.replace(name, name.toUpperCase()),
    `__Host-castellan=${token}`,
    `castellan-${Number(port) + 1}=${token}`,
    `x=${name}=${token}`,
  ]
  for (const cookie of cookies) {
    const { status } = await createPageClient(gatewayUrl).request('/account', { headers: { cookie } })
    expect([cookie, status]).toEqual([cookie, 303])
  }
  const authorization = `Bearer ${token}`
  expect((await createPageClient(gatewayUrl).request('/account', { headers: { authorization } })).status).toBe(303)
  expect((await signedIn.request('/account')).status).toBe(200)
})

proves('PAG-6', 'the cookie cannot be read by scripts, sent by other sites or shared with another host', async () => {
  const world = await startWorld()
  const answer = await createPageClient(world.gatewayUrl).signIn(world.ana)
  const name = `castellan-${new URL(world.gatewayUrl).port}`
  expect(answer.headers['set-cookie']).toEqual([
    expect.stringMatching(new RegExp(`^${name}=css_[\\w-]{43}; Path=/; HttpOnly; SameSite=Lax$`)),
  ])
})

proves(
  'PAG-6',
  'sessions end in the browser when they are ended elsewhere, and when their person is suspended',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [])
    const browser = createPageClient(world.gatewayUrl)
    await browser.signIn(ben)
    const { body } = await ben.api('GET', '/me/sessions')
    const items = body['items'] as { id: string; isCurrent: boolean }[]
    const other = items.find(({ isCurrent }) => !isCurrent)?.id ?? ''
    expect((await ben.api('DELETE', `/me/sessions/${other}`)).status).toBe(200)
    expect((await browser.request('/account')).status).toBe(303)
    await browser.signIn(ben)
    expect((await browser.request('/account')).status).toBe(200)
    const people = (await world.ana.api('GET', '/people')).body['items'] as { id: string; name: string }[]
    const id = people.find((person) => person.name === 'ben')?.id ?? ''
    expect((await world.ana.api('POST', `/people/${id}/suspend`, {})).status).toBe(200)
    expect((await browser.request('/account')).status).toBe(303)
  },
)

proves(
  'PAG-6',
  'behind TLS a browser keeps the cookie for this host alone, and takes none of that name from anybody else',
  async () => {
    const leaf = await (await makeAuthority()).issue()
    const tls = { CASTELLAN_GATEWAY__TLS_CERTIFICATE: leaf.certificatePath, CASTELLAN_GATEWAY__TLS_KEY: leaf.keyPath }
    const { gatewayUrl, ana } = await startWorld({ env: tls })
    expect(gatewayUrl).toMatch(/^https:/)
    await withBrowser(async (browser) => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      const page = await context.newPage()
      await page.goto(`${gatewayUrl}/account`)
      await page.evaluate("document.cookie = '__Host-castellan=planted; Path=/; Secure; Domain=localhost'")
      await page.evaluate("document.cookie = '__Host-castellan=planted; Path=/account; Secure'")
      await page.evaluate("document.cookie = '__Host-castellan=planted; Path=/'")
      await signInOn(page, ana)
      expect(await page.innerText('h1')).toBe('Your account')
      expect(await page.evaluate('document.cookie')).toBe('')
      const cookies = await context.cookies(gatewayUrl)
      expect(cookies.map(({ name }) => name).toSorted()).toEqual(['__Host-castellan', '__Host-castellan-form'])
      for (const cookie of cookies) {
        expect(cookie).toMatchObject({
          path: '/',
          secure: true,
          httpOnly: true,
          sameSite: 'Lax',
          domain: 'localhost',
          expires: -1,
        })
      }
    })
  },
  60_000,
)
