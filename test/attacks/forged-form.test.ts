/**
 * A page of another site sends forms in the name of whoever visits it: to end their sessions, to let a client act for
 * them, to change their password, to sign them in as somebody else. It has an account of its own, and can plant cookies.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { atEnd } from '../ending.ts'
import { proves } from '../proves.ts'
import { withBrowser } from '../world/browser.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { authorizationRequest, register } from '../world/oauth/client.ts'
import { createPageClient, hiddenFields, type PageClient } from '../world/pages/page-client.ts'
import { openWindow, signInOn } from '../world/pages/visit-pages.ts'

/** Signed in, with a client that waits for consent. */
async function victimOf(world: World) {
  const { gatewayUrl, ana } = world
  const browser = createPageClient(gatewayUrl)
  await browser.signIn(ana)
  const { body } = await register(gatewayUrl)
  const asking = { clientId: String(body['client_id']), resource: `${gatewayUrl}/mcp` }
  const asked = await browser.request(authorizationRequest(gatewayUrl, asking).address.slice(gatewayUrl.length))
  const consent = new URL(asked.headers.location ?? '', gatewayUrl).pathname
  return { browser, consent, session: [...browser.cookies].find(([, value]) => value.startsWith('css_')) }
}

/** Every form that a signed-in person can send: where it stands, where it goes, what it says. */
function formsOf(
  consent: string,
): readonly (readonly [page: string, action: string, fields: Record<string, string>])[] {
  return [
    ['/sign-out', '/sign-out', {}],
    ['/account', '/account/sessions', { all: 'others' }],
    ['/account', '/account/tokens', { id: 'any' }],
    ['/account', '/account/clients', { id: 'any' }],
    ['/account', '/account/notices', {}],
    ['/account/password', '/account/password', { current: 'a', next: 'a new sentence about walls', code: '123456' }],
    ['/account/recovery-codes', '/account/recovery-codes', { password: 'a', code: '123456' }],
    ['/device', '/device', { user_code: 'BBBB-BBBB' }],
    [consent, consent, { answer: 'allow' }],
  ]
}

async function refusedReasons(world: World): Promise<string[]> {
  return (await world.ledger('&event=form.refused')).map(({ details }) => String(details?.['reason']))
}

async function isUntouched(world: World, browser: PageClient): Promise<void> {
  expect((await browser.request('/account')).status).toBe(200)
  expect((await world.ana.api('GET', '/me')).status).toBe(200)
  expect(await world.ledger('&event=grant.made')).toEqual([])
  expect(await world.ledger('&event=session.ended')).toEqual([])
}

proves(['PAG-1', 'PAG-7'], 'no form is taken without the token of this browser, person and path', async () => {
  const world = await startWorld()
  const mallory = createPageClient(world.gatewayUrl)
  const { browser, consent } = await victimOf(world)
  const forms = formsOf(consent)
  const elsewhere = await browser.tokenOf('/account/password', '/account/password')
  for (const [page, action, fields] of forms) {
    const { form: _own, ...hidden } = hiddenFields((await browser.request(page)).text, action)
    const foreign = await mallory.tokenOf('/sign-in', '/sign-in')
    const ofAnother = action === '/account/password' ? [] : [elsewhere]
    for (const form of [undefined, '', 'a256gcm.AAAAAAAAAAA.AAAA', foreign, ...ofAnother]) {
      const sent = { ...hidden, ...fields, ...(form !== undefined && { form }) }
      const answer = await browser.request(action, { fields: sent })
      expect([action, form, answer.status]).toEqual([action, form, 403])
      expect(answer.text).toContain('This form is out of date')
    }
  }
  await isUntouched(world, browser)
  const reasons = await refusedReasons(world)
  expect(reasons).toHaveLength(forms.length * 5 - 1)
  expect(new Set(reasons)).toEqual(new Set(['no-token', 'stale-token']))
})

proves('PAG-1', 'what a browser says of where a form comes from outweighs a token that is right', async () => {
  const world = await startWorld()
  const { browser } = await victimOf(world)
  const form = await browser.tokenOf('/sign-out', '/sign-out')
  for (const site of ['cross-site', 'same-site', 'anything']) {
    const { status } = await browser.request('/sign-out', { fields: { form }, headers: { 'sec-fetch-site': site } })
    expect([site, status]).toEqual([site, 403])
  }
  for (const origin of ['null', 'https://evil.example', 'http://localhost:1']) {
    const { status } = await browser.request('/sign-out', { fields: { form }, headers: { origin } })
    expect([origin, status]).toEqual([origin, 403])
  }
  await isUntouched(world, browser)
  expect(await refusedReasons(world)).toEqual(['cross-site', 'cross-site', 'cross-site'])
  const headers = { 'sec-fetch-site': 'same-origin' }
  expect((await browser.request('/sign-out', { fields: { form }, headers })).status).toBe(200)
})

proves('PAG-1', 'a pair of cookie and token that the attacker was given opens no form of a person', async () => {
  const world = await startWorld()
  const mallory = await world.join('mallory', [])
  const attacker = createPageClient(world.gatewayUrl)
  await attacker.signIn(mallory)
  const { browser } = await victimOf(world)
  const name = [...attacker.cookies.keys()].find((one) => one.endsWith('-form')) ?? ''
  const form = await attacker.tokenOf('/account', '/account/notices')
  browser.cookies.set(name, attacker.cookies.get(name) ?? '')
  for (const action of ['/account/notices', '/account/sessions']) {
    const { status } = await browser.request(action, { fields: { form, all: 'others' } })
    expect([action, status]).toEqual([action, 403])
  }
  await isUntouched(world, browser)
})

proves('PAG-1', 'a form that was shown to one person is not taken from the next one in the same browser', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [])
  const { browser, consent } = await victimOf(world)
  const shown = hiddenFields((await browser.request(consent)).text, consent)
  await browser.signIn(ben)
  const answer = await browser.request(consent, { fields: { ...shown, answer: 'allow' } })
  expect(answer.status).toBe(403)
  expect(await world.ledger('&event=grant.made')).toEqual([])
  expect((await world.ledger('&event=form.refused')).at(-1)).toMatchObject({
    outcome: 'refused',
    refusal: 'identity.form-stale',
    principal: { name: 'ben' },
    details: { path: consent, reason: 'stale-token' },
  })
})

proves(['PAG-1', 'PAG-7'], 'no link does what a form does', async () => {
  const world = await startWorld()
  const { browser, consent } = await victimOf(world)
  const page = (await browser.request(consent)).text
  for (const [, action, fields] of formsOf(consent)) {
    const query = new URLSearchParams({ ...hiddenFields(page, consent), ...fields }).toString()
    const { status, headers } = await browser.request(`${action}?${query}`)
    expect([action, [200, 303].includes(status)]).toEqual([action, true])
    expect(headers.location ?? '/account').toBe('/account')
  }
  await isUntouched(world, browser)
})

/** A site of the attacker's, with a form that sends itself. */
async function startEvilSite(action: string, fields: Record<string, string>): Promise<string> {
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`)
  const form = `<form method="post" action="${action}">${inputs.join('')}</form>`
  const server = createServer((_req, res) => {
    res
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!doctype html>${form}<script>document.forms[0].submit()</script>`)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

proves(
  ['PAG-1', 'PAG-6'],
  "another site cannot sign a browser in as the attacker, nor out, also when it knows the attacker's password",
  async () => {
    const world = await startWorld()
    const { gatewayUrl, ana } = world
    const mallory = await world.join('mallory', [])
    const { name, password } = mallory
    const reached = world.books.arrived.length
    const signIn = await startEvilSite(`${gatewayUrl}/sign-in`, { name, password, code: mallory.nextCode() })
    const signOut = await startEvilSite(`${gatewayUrl}/sign-out`, {})
    await withBrowser(async (browser) => {
      const { page } = await openWindow(browser)
      await page.goto(signIn)
      await page.waitForURL(`${gatewayUrl}/sign-in`)
      expect(await page.innerText('body')).toContain('gateway.origin-not-allowed')
      expect(await page.context().cookies(gatewayUrl)).toEqual([])
      await page.goto(`${gatewayUrl}/account`)
      await signInOn(page, ana)
      for (const site of [signIn, signOut]) {
        await page.goto(site)
        await page.waitForURL(`${gatewayUrl}/sign-*`)
      }
      await page.goto(`${gatewayUrl}/account`)
      expect(await page.innerText('.lead')).toContain('ana')
    })
    const started = await world.ledger('&event=session.started')
    expect(started.filter(({ principal }) => principal?.name === 'mallory')).toHaveLength(1)
    expect(world.books.arrived).toHaveLength(reached)
  },
  60_000,
)
