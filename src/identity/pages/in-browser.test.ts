import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { forAllTests } from '../../../test/ending.ts'
import { withBrowser } from '../../../test/world/browser.ts'
import { startWorld } from '../../../test/world/castellan.ts'
import { authorizationRequest, post, register } from '../../../test/world/oauth/client.ts'
import { flaws, openWindow, signInOn, type Window } from '../../../test/world/pages/visit-pages.ts'
import { atEnd } from '../../../test/ending.ts'

const world = forAllTests(() => startWorld())
const slow = { timeout: 120_000 }

/** A client's own page, to which its answer is sent. */
async function startClient() {
  const pages = new Map<string, string>([
    ['/opener', '<!doctype html><title>client</title><p id="told">nothing yet</p>'],
    ['/callback', '<!doctype html><title>callback</title><p>answered</p>'],
  ])
  const server = createServer((req, res) => {
    res.writeHead(200, { 'content-type': 'text/html' }).end(pages.get((req.url ?? '').split('?', 1)[0] ?? '') ?? '')
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { gatewayUrl } = world()
  const names = { client_name: 'A client with a page', redirect_uris: [`${origin}/callback`] }
  const { body } = await register(gatewayUrl, names)
  const asking = {
    clientId: String(body['client_id']),
    resource: `${gatewayUrl}/mcp`,
    redirectUri: `${origin}/callback`,
  }
  return { origin, asks: () => authorizationRequest(gatewayUrl, asking).address }
}

async function waitingDevice(): Promise<string> {
  const { gatewayUrl } = world()
  const grants = {
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
    response_types: [],
    redirect_uris: [],
  }
  const { body } = await register(gatewayUrl, { client_name: 'A terminal', ...grants })
  const asked = { client_id: String(body['client_id']), scope: 'mcp', resource: `${gatewayUrl}/mcp` }
  return String((await post(gatewayUrl, '/oauth/device', asked)).body['user_code'])
}

async function walk(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  const { gatewayUrl, ana } = world()
  const client = await startClient()
  await page.goto(client.asks())
  await look('sign-in for a client')
  await page.fill('#name', 'nobody')
  await page.fill('#password', 'wrong')
  await page.fill('#code', '123456')
  await page.click('form[action="/sign-in"] button')
  await look('sign-in refused')
  await signInOn(page, ana)
  await look('consent')
  await page.click('button[value=deny]')
  await page.waitForURL(`${client.origin}/**`)
  for (const path of [
    '/account',
    '/account/password',
    '/account/recovery-codes',
    '/account/authenticator',
    '/account/passkeys/add',
    '/device',
    '/account/x',
    '/consent/x',
  ]) {
    await page.goto(`${gatewayUrl}${path}`)
    await look(path)
  }
  await page.goto(`${gatewayUrl}/device`)
  await page.fill('#user-code', 'BBBB-BBBB')
  await page.click('main form button')
  await look('unknown device')
  await page.fill('#user-code', (await waitingDevice()).toLowerCase())
  await page.click('main form button')
  await look('device')
  await page.click('button[value=allow]')
  await look('device connected')
  await page.goto(`${gatewayUrl}/account/recovery-codes`)
  await page.fill('#password', ana.password)
  await page.fill('#code', ana.nextCode())
  await page.click('main form button')
  await look('recovery codes')
  await page.goto(`${gatewayUrl}/account`)
  await look('account after all that')
  await page.goto(`${gatewayUrl}/sign-out`)
  await look('sign-out')
  await page.click('main form button')
  await look('signed out')
}

test.each([
  ['light', 1280],
  ['light', 320],
  ['dark', 1280],
  ['dark', 320],
] as const)(
  'every page in the %s theme, %d pixels wide, is without a flaw that axe knows',
  slow,
  async (theme, width) => {
    await withBrowser(async (browser) => {
      const { page, complaints } = await openWindow(browser, { theme, width })
      const found: string[] = []
      await walk(page, async (name) => {
        found.push(...(await flaws(page)).map((flaw) => `${name}: ${flaw}`))
        expect(await page.locator('h1').count(), name).toBe(1)
      })
      expect(found).toEqual([])
      expect(complaints).toEqual([])
    })
  },
)

test('every page does its work without JavaScript', slow, async () => {
  await withBrowser(async (browser) => {
    const { page } = await openWindow(browser, { hasScripts: false })
    const seen: string[] = []
    await walk(page, async (name) => {
      seen.push(`${name}: ${await page.locator('h1').innerText()}`)
    })
    expect(seen).toContain('device connected: Connected')
    expect(seen).toContain('recovery codes: Keep your recovery codes')
    expect(seen).toContain('signed out: You are signed out')
  })
})

test('the way from a client to its answer is possible with the keyboard alone', slow, async () => {
  const { ana } = world()
  const client = await startClient()
  await withBrowser(async (browser) => {
    const { page } = await openWindow(browser)
    await page.goto(client.asks())
    expect(await page.evaluate('document.activeElement.id')).toBe('name')
    await page.keyboard.type(ana.name)
    await page.keyboard.press('Tab')
    await page.keyboard.type(ana.password)
    await page.keyboard.press('Tab')
    await page.keyboard.type(ana.nextCode())
    await page.keyboard.press('Enter')
    await page.waitForURL('**/consent/*')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content')
    await page.keyboard.press('Enter')
    for (let step = 0; step < 10; step++) {
      await page.keyboard.press('Tab')
      if ((await page.evaluate('document.activeElement.value')) === 'allow') break
    }
    const ring = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
    expect(ring).toBe('solid')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${client.origin}/callback?*`)
    expect(new URL(page.url()).searchParams.get('code')).toMatch(/.+/)
  })
})

test('a client that opened a window for authorization can still talk to it when it comes back', slow, async () => {
  const client = await startClient()
  await withBrowser(async (browser: Browser, window: Window = {}) => {
    const { page } = await openWindow(browser, window)
    await page.goto(`${client.origin}/opener`)
    const opened = page.waitForEvent('popup')
    await page.evaluate(`void window.open(${JSON.stringify(client.asks())})`)
    const popup = await opened
    await popup.waitForSelector('#name')
    await signInOn(popup, world().ana)
    await popup.click('button[value=allow]')
    await popup.waitForURL(`${client.origin}/callback?*`)
    expect(await popup.evaluate('window.opener !== null')).toBe(true)
  })
})

test('what is ended on the account page is ended, and said to be', slow, async () => {
  const { gatewayUrl, ana, post: call } = world()
  const token = await ana.mint('books')
  await withBrowser(async (browser) => {
    const { page } = await openWindow(browser)
    await page.goto(`${gatewayUrl}/account`)
    await signInOn(page, ana)
    await page.click('#tokens button')
    expect(await page.innerText('[role=status]')).toBe('The access token is worth nothing now.')
    expect((await call({ token, message: { jsonrpc: '2.0', id: 1, method: 'ping' } })).status).toBe(401)
    expect((await ana.api('GET', '/me')).status).toBe(200)
    await page.click('button:has-text("End all other sessions")')
    await page.waitForURL('**/account?done=sessions-ended')
    expect(await page.innerText('[role=status]')).toBe('All other sessions have ended.')
    expect((await ana.api('GET', '/me')).status).toBe(401)
    expect(await page.locator('#sessions .entry').count()).toBe(1)
  })
  await ana.signIn()
})

test(
  'the account tells of a sign-in from a program that was never used, until its person has seen it',
  slow,
  async () => {
    const { gatewayUrl, join } = world()
    const ben = await join('ben', [])
    await withBrowser(async (browser) => {
      const { page } = await openWindow(browser)
      await page.goto(`${gatewayUrl}/account`)
      await signInOn(page, ben)
      expect(await page.innerText('#notices .entry')).toMatch(/Somebody signed in as you[\s\S]*New[\s\S]*Chrome on/)
      await page.click('button:has-text("It was me")')
      expect(await page.locator('#notices .entry').count()).toBe(1)
      expect(await page.innerText('#notices')).not.toContain('New')
    })
  },
)

test('a password is changed after the present one was proved, and not before', slow, async () => {
  const { gatewayUrl, join } = world()
  const eve = await join('eve', [])
  await withBrowser(async (browser) => {
    const { page } = await openWindow(browser)
    await page.goto(`${gatewayUrl}/account/password`)
    await signInOn(page, eve)
    const fill = async (current: string, next: string) => {
      await page.fill('#current', current)
      await page.fill('#next', next)
      await page.fill('#code', eve.nextCode())
      await page.click('main form button')
    }
    await fill('not her password', 'a new sentence about walls')
    expect(await page.innerText('[role=alert]')).toContain('The present password or the code is not right.')
    expect(await page.inputValue('#next')).toBe('')
    await fill(eve.password, 'short')
    expect(await page.innerText('[role=alert]')).toContain('fewer than 8 characters')
    await fill(eve.password, 'a new sentence about walls')
    expect(await page.innerText('[role=status]')).toContain('Your password is changed')
    expect((await eve.api('GET', '/me')).status).toBe(401)
    expect(await page.innerText('#notices')).toContain('Your password was changed')
  })
})
