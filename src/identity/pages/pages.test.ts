import { describe, expect, test } from 'vitest'
import { forAllTests } from '../../../test/ending.ts'
import { startWorld } from '../../../test/world/castellan.ts'
import { send } from '../../../test/world/edge/send.ts'
import { authorizationRequest, register } from '../../../test/world/oauth/client.ts'
import { createPageClient } from '../../../test/world/pages/page-client.ts'
import { mostFormBytes } from './form.ts'

const world = forAllTests(() => startWorld())
const client = () => createPageClient(world().gatewayUrl)

async function signedIn() {
  const browser = client()
  await browser.signIn(world().ana)
  return browser
}

/** Opens the consent page of a client of its own. */
async function askForConsent(browser: ReturnType<typeof client>) {
  const { gatewayUrl } = world()
  const { body } = await register(gatewayUrl, { client_name: 'Asker' })
  const resource = `${gatewayUrl}/servers/books/mcp`
  const { address } = authorizationRequest(gatewayUrl, { clientId: String(body['client_id']), resource })
  const asked = await browser.request(address.slice(gatewayUrl.length))
  return new URL(asked.headers.location ?? '', gatewayUrl).pathname
}

const everywhere = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}

/** Where passkeys are used: the only thing that takes a script. */
const hasScripts = new Set(['/sign-in'])
const scripts = "script-src 'self'; connect-src 'self'; "

describe('every page', () => {
  test.each([
    ['/sign-in', 200],
    ['/sign-out', 200],
    ['/device', 200],
    ['/account', 200],
    ['/account/password', 200],
    ['/account/recovery-codes', 200],
    ['/account/nothing', 404],
    ['/consent/nothing', 404],
    ['/consent/', 404],
    ['/assets/nothing.css', 404],
    ['/sign-in/', 404],
  ])('%s is answered with %d and headers that leave it nothing to load, keep or tell', async (path, status) => {
    const browser = await signedIn()
    const { status: answered, headers, text } = await browser.request(path)
    expect(answered).toBe(status)
    expect(headers).toMatchObject({
      ...everywhere,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'content-security-policy':
        `default-src 'none'; style-src 'self'; img-src 'self'; ${hasScripts.has(path) ? scripts : ''}base-uri 'none'; ` +
        "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    })
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/)
    expect(text).not.toMatch(/<style|style="| on[a-z]+="/)
    const loaded = [...text.matchAll(/<script[^>]*>[^<]*/g)].map(([tag]) => tag)
    const own = expect.stringMatching(/^<script type="module" src="\/assets\/passkey\.js\?v=[\w-]{12}">$/)
    expect(loaded).toEqual(hasScripts.has(path) ? [own] : [])
  })

  test('is answered to HEAD as to GET, without a body', async () => {
    const browser = await signedIn()
    for (const path of ['/account', '/sign-in', '/assets/castellan.css', '/account/nothing']) {
      const got = await browser.request(path)
      const asked = await browser.request(path, { method: 'HEAD' })
      expect([asked.status, asked.headers['content-type'], asked.text]).toEqual([
        got.status,
        got.headers['content-type'],
        '',
      ])
      expect(Number(asked.headers['content-length'])).toBeGreaterThan(0)
    }
  })

  test.each([
    ['/sign-in', 'PUT', 'GET, HEAD, POST'],
    ['/account', 'POST', 'GET, HEAD'],
    ['/account', 'DELETE', 'GET, HEAD'],
    ['/device', 'OPTIONS', 'GET, HEAD, POST'],
    ['/assets/castellan.css', 'POST', 'GET, HEAD'],
  ])('%s says to %s which methods it knows', async (path, method, allow) => {
    const browser = await signedIn()
    const { status, headers } = await browser.request(path, { method })
    expect([status, headers.allow]).toEqual([405, allow])
  })

  test('of a person leads whoever is not signed in to the sign-in page, and back', async () => {
    for (const path of ['/account', '/account/password', '/device?user_code=ABCD-EFGH']) {
      const { status, headers } = await client().request(path)
      expect(status).toBe(303)
      const to = new URL(headers.location ?? '', world().gatewayUrl)
      expect([to.pathname, to.searchParams.get('next')]).toEqual(['/sign-in', path.replace('-EFGH', '-EFGH')])
      expect(headers).toMatchObject({ ...everywhere, 'cache-control': 'no-store' })
    }
    const { headers } = await client().signIn(world().ana, '/account/password')
    expect(headers.location).toBe('/account/password')
  })
})

describe('what pages load', () => {
  test('is kept by browsers until it changes, and is nothing but what it says', async () => {
    const { text } = await client().request('/sign-in')
    const [, address = ''] = /href="([^"]*castellan\.css[^"]*)"/.exec(text) ?? []
    expect(address).toMatch(/^\/assets\/castellan\.css\?v=[\w-]{12}$/)
    const { status, headers } = await client().request(address)
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      ...everywhere,
      'content-type': 'text/css; charset=utf-8',
      'cache-control': 'public, max-age=86400',
      'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    })
  })
})

describe('a form', () => {
  test.each([
    [mostFormBytes, 401],
    [mostFormBytes + 1, 413],
  ])('of %d bytes is answered with %d', async (bytes, status) => {
    const browser = client()
    const form = await browser.tokenOf('/sign-in', '/sign-in')
    const start = new URLSearchParams({ form, name: 'nobody', password: 'x', code: '123456', more: '' }).toString()
    const answer = await browser.request('/sign-in', { body: start + 'a'.repeat(bytes - start.length) })
    expect(answer.status).toBe(status)
    expect(answer.text).toContain('<h1>')
    expect(answer.headers.connection).toBe(status === 413 ? 'close' : answer.headers.connection)
  })

  test.each([
    ['application/json', 415],
    ['multipart/form-data; boundary=x', 415],
    ['text/plain', 415],
    ['', 415],
    ['application/x-www-form-urlencoded; charset=utf-8', 403],
    ['APPLICATION/X-WWW-FORM-URLENCODED', 403],
  ])('of type %j is answered with %d', async (type, status) => {
    const { status: answered } = await client().request('/sign-in', { body: 'a=b', headers: { 'content-type': type } })
    expect(answered).toBe(status)
  })

  test('that is compressed is not read', async () => {
    const { status } = await client().request('/sign-in', { body: 'a=b', headers: { 'content-encoding': 'gzip' } })
    expect(status).toBe(415)
  })

  test('with one field twice is not read, whichever of the two is right', async () => {
    const browser = client()
    const form = await browser.tokenOf('/sign-in', '/sign-in')
    const { name, password, nextCode } = world().ana
    const body = new URLSearchParams({ form, name, password, code: nextCode() }).toString()
    expect((await browser.request('/sign-in', { body: `${body}&name=ana` })).status).toBe(400)
    expect((await browser.request('/sign-in', { body })).status).toBe(303)
  })

  test('that was open for twelve hours is out of date', async () => {
    const browser = client()
    const form = await browser.tokenOf('/sign-in', '/sign-in')
    const fields = { form, name: 'nobody', password: 'x', code: '123456' }
    world().clock.advance(12 * 3_600_000 - 1)
    expect((await browser.request('/sign-in', { fields })).status).toBe(401)
    world().clock.advance(1)
    expect((await browser.request('/sign-in', { fields })).status).toBe(403)
    await world().ana.signIn()
  })
})

describe('signing in', () => {
  test('says the same for all that is wrong, and keeps nothing typed but the name', async () => {
    const texts = new Set<string>()
    const { ana } = world()
    for (const [name, password, code] of [
      ['nobody', ana.password, '123456'],
      ['ana', 'wrong "password"', ana.nextCode()],
      ['ana', ana.password, '000000'],
    ] as const) {
      const { status, text } = await client().submit('/sign-in', { name, password, code })
      expect(status).toBe(401)
      expect(text).not.toContain('wrong')
      expect(text).not.toContain(ana.password)
      texts.add(/id="sign-in-error" role="alert">([^<]*)</.exec(text)?.[1] ?? '')
    }
    expect([...texts]).toEqual([expect.stringContaining('The name, the password or the code is not right.')])
  })

  test('says when to come back after too many attempts', async () => {
    const from = (headers = {}) => ({ name: 'guessed', password: 'guess', code: '123456', ...headers })
    let last = await client().submit('/sign-in', from())
    for (let attempt = 0; attempt < 6 && last.status === 401; attempt++)
      last = await client().submit('/sign-in', from())
    expect(last.status).toBe(429)
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0)
    expect(last.text).toMatch(/Too many attempts\. Try again in \d+ (seconds|minutes)\./)
  })

  test('makes a session of this browser alone, and signing out ends it', async () => {
    const browser = await signedIn()
    const [name = '', token = ''] = [...browser.cookies].find(([, value]) => value.startsWith('css_')) ?? []
    expect(name).toBe(`castellan-${new URL(world().gatewayUrl).port}`)
    expect((await browser.request('/account')).status).toBe(200)
    const out = await browser.submit('/sign-out', {})
    expect([out.status, browser.cookies.has(name)]).toEqual([200, false])
    browser.cookies.set(name, token)
    expect((await browser.request('/account')).status).toBe(303)
  })

  test('holds no longer than sessions do: idle, and in all', async () => {
    const idle = await signedIn()
    world().clock.advance(30 * 60_000 - 1)
    expect((await idle.request('/account')).status).toBe(200)
    world().clock.advance(30 * 60_000)
    expect((await idle.request('/account')).status).toBe(303)
    const busy = await signedIn()
    for (let minutes = 20; minutes < 8 * 60; minutes += 20) {
      world().clock.advance(20 * 60_000)
      expect((await busy.request('/account')).status).toBe(200)
    }
    world().clock.advance(20 * 60_000)
    expect((await busy.request('/account')).status).toBe(303)
    await world().ana.signIn()
  })
})

describe('consent', () => {
  test('is asked by a page that may lead to the client and whose opener stays', async () => {
    const browser = client()
    const page = await askForConsent(browser)
    const toSignIn = await browser.request(page)
    const where = new URL(toSignIn.headers.location ?? '', world().gatewayUrl)
    expect(where.pathname).toBe('/sign-in')
    const asking = await browser.request(`${where.pathname}${where.search}`)
    expect(asking.text).toContain('<bdi>Asker</bdi>')
    expect(asking.text).toContain('127.0.0.1:33418')
    await browser.signIn(world().ana)
    const { status, headers, text } = await browser.request(page)
    expect(status).toBe(200)
    expect(headers['cross-origin-opener-policy']).toBe('unsafe-none')
    expect(headers['content-security-policy']).toContain("form-action 'self' http://127.0.0.1:33418;")
    expect(text).toContain('the server <strong>books</strong>')
    expect(text).toContain('nobody has checked who is behind it')
    expect(text).toContain('you have just started it yourself')
    expect(text).toContain('At most 30 days')
  })

  test('is given to what was shown and to nothing else', async () => {
    const browser = await signedIn()
    const page = await askForConsent(browser)
    const other = await browser.submit(page, { answer: 'allow', shown: 'something else' })
    expect(other.status).toBe(409)
    expect(other.text).toContain('has changed since you saw it')
    const unclear = await browser.submit(page, { answer: 'perhaps' })
    expect(new URL(unclear.headers.location ?? '', world().gatewayUrl).search).not.toContain('code=')
  })

  test('asked by a made-up sign-in address names nobody', async () => {
    const asks = 'a256gcm.AAAAAAAAAAA.AAAA'
    const { text, headers } = await client().request(
      `/sign-in?${new URLSearchParams({ next: '/account', asks }).toString()}`,
    )
    expect(text).not.toContain('asks for access')
    expect(headers['cross-origin-opener-policy']).toBe('same-origin')
  })
})

test('paths beside the pages stay the gateway’s own to refuse', async () => {
  for (const path of ['/accounts', '/sign-inside', '/ACCOUNT', '//account', '/consents/a']) {
    const { status, headers } = await send(world().gatewayUrl, { path })
    expect([status, headers['content-type']]).toEqual([404, 'application/json'])
  }
})
