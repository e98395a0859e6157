/**
 * Somebody looks over a shoulder, at a screenshot, at a browser's history or at the log of a proxy. Whatever secret a
 * page or an address holds is theirs.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { authorizationRequest, register } from '../world/oauth/client.ts'
import { createPageClient, type PageAnswer } from '../world/pages/page-client.ts'

const bearer = /c(?:ss|st|se|oa|or)_[A-Za-z0-9_-]{10}/

proves('PAG-5', 'no page shows a token, a password, a code or a key, and no address leads on with one', async () => {
  const world = await startWorld()
  const { gatewayUrl, ana } = world
  const minted = await ana.mint('books')
  const { body } = await register(gatewayUrl)
  const asking = { clientId: String(body['client_id']), resource: `${gatewayUrl}/mcp` }
  const browser = createPageClient(gatewayUrl)
  const code = ana.nextCode()
  const answers: PageAnswer[] = [
    await browser.submit('/sign-in', { name: ana.name, password: `${ana.password}x`, code }),
    await browser.signIn(ana),
  ]
  const asked = await browser.request(authorizationRequest(gatewayUrl, asking).address.slice(gatewayUrl.length))
  const consent = new URL(asked.headers.location ?? '', gatewayUrl).pathname
  const session = [...browser.cookies.values()].find((value) => value.startsWith('css_')) ?? ''
  const pages = [
    '/account',
    '/account/password',
    '/account/recovery-codes',
    '/device',
    '/sign-in',
    '/sign-out',
    consent,
  ]
  for (const page of pages) answers.push(await browser.request(page))
  const wrong = { current: `${ana.password}x`, next: 'a new sentence about walls', code: ana.nextCode() }
  answers.push(await browser.submit('/account/password', wrong))
  const secrets = [session, minted, ana.password, ana.secret, code, wrong.next, wrong.code, ...ana.recoveryCodes]
  for (const { text, headers } of answers) {
    expect(text).not.toMatch(bearer)
    expect(headers.location ?? '').not.toMatch(bearer)
    for (const secret of secrets) expect([secret, text.includes(secret)]).toEqual([secret, false])
  }
  const anonymous = JSON.stringify(await world.ledger())
  for (const secret of secrets.filter((one) => one.length > 6)) expect(anonymous).not.toContain(secret)
})

proves('PAG-5', 'new recovery codes are shown once, to whoever proved password and code, and never again', async () => {
  const world = await startWorld()
  const { gatewayUrl, ana } = world
  const browser = createPageClient(gatewayUrl)
  await browser.signIn(ana)
  const shown = await browser.submit('/account/recovery-codes', { password: ana.password, code: ana.nextCode() })
  const codes = [...shown.text.matchAll(/<li><code>([^<]+)<\/code><\/li>/g)].map(([, code = '']) => code)
  expect(codes).toHaveLength(10)
  expect(shown.headers['cache-control']).toBe('no-store')
  for (const page of ['/account/recovery-codes', '/account']) {
    const { text } = await browser.request(page)
    for (const code of codes) expect(text).not.toContain(code)
  }
  expect(JSON.stringify(await world.ledger())).not.toContain(codes[0])
})
