import { source as axeSource } from 'axe-core'
import jsQr from 'jsqr'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { describe, expect, test } from 'vitest'
import { type AdminWorld, openAdminWorld } from '../../../test/world/admin.ts'
import { withBrowser } from '../../../test/world/browser.ts'
import { oneTimeCode } from '../../../test/world/one-time-code.ts'

const password = 'a long sentence about gates'

type Theme = 'light' | 'dark'

interface Visit {
  readonly page: Page
  /** What the browser complained about: broken rules of the content security policy and errors of scripts. */
  readonly complaints: string[]
}

async function visit(browser: Browser, theme: Theme, url: string, options: { width?: number } = {}): Promise<Visit> {
  const viewport = { width: options.width ?? 1280, height: 860 }
  const context = await browser.newContext({ colorScheme: theme, viewport, acceptDownloads: true })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted|violat/i.test(message.text())) complaints.push(message.text())
  })
  await page.goto(url)
  return { page, complaints }
}

/** Rules of axe that the page breaks as it stands, with the elements. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeSource)
  const found: unknown = await page.evaluate(
    'axe.run().then((r) => r.violations.map((v) => v.id + " " + v.nodes[0].html))',
  )
  return found as string[]
}

async function shown(page: Page, panel: string): Promise<void> {
  await page.locator(`#${panel}`).waitFor({ state: 'visible' })
}

async function choose(page: Page, name: string): Promise<void> {
  await shown(page, 'account')
  await page.fill('#name', name)
  await page.fill('#password', password)
  await page.click('#account-form [type=submit]')
  await shown(page, 'factor')
}

/** What a phone would read from the picture of the page. */
async function scanQr(page: Page): Promise<string> {
  const image = PNG.sync.read(await page.screenshot({ fullPage: true }))
  return (
    jsQr.default(new Uint8ClampedArray(image.data), image.width, image.height, { inversionAttempts: 'dontInvert' })
      ?.data ?? ''
  )
}

function codeOf(world: AdminWorld, uri: string): string {
  return oneTimeCode(new URL(uri).searchParams.get('secret') ?? '', world.clock.now())
}

describe.each(['light', 'dark'] as const)('the set-up page in the %s theme', (theme) => {
  test('leads from the link to an admin who can sign in', { timeout: 60_000 }, async () => {
    const world = await openAdminWorld()
    await withBrowser(async (browser) => {
      const { page, complaints } = await visit(browser, theme, `${world.adminUrl}/setup#${await world.setupToken()}`)
      await shown(page, 'account')
      expect(page.url()).toBe(`${world.adminUrl}/setup`)
      expect(await violations(page)).toEqual([])
      await choose(page, 'ana')
      const uri = await scanQr(page)
      expect(uri).toMatch(/^otpauth:\/\/totp\//)
      const key = (await page.textContent('#secret')) ?? ''
      expect(key).toMatch(/^([A-Z2-7]{4} )+[A-Z2-7]{1,4}$/)
      expect(new URL(uri).searchParams.get('secret')).toBe(key.replaceAll(' ', ''))
      expect(await violations(page)).toEqual([])
      const code = codeOf(world, uri)
      await page.fill('#code', `${code.slice(0, 3)} ${code.slice(3)}`)
      await page.click('#factor-form [type=submit]')
      await shown(page, 'codes')
      expect(await page.locator('#codes-list code').count()).toBe(10)
      expect(await violations(page)).toEqual([])
      const codes = await page.locator('#codes-list code').allTextContents()
      await page.check('#codes-kept')
      await page.click('#codes-form [type=submit]')
      await shown(page, 'ready')
      expect(await page.textContent('#ready-steps')).toContain('npx castellan connect inspector')
      expect(await violations(page)).toEqual([])
      expect(await page.content()).not.toContain(codes[0])
      expect(complaints).toEqual([])
      const signIn = await fetch(`${world.adminUrl}/api/v1/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'ana', password, code: codes[0] }),
      })
      expect(signIn.status).toBe(200)
    })
  })

  test('says what to do when the link is used up, absent or the server is gone', { timeout: 60_000 }, async () => {
    const world = await openAdminWorld()
    await withBrowser(async (browser) => {
      const dead = await visit(browser, theme, `${world.adminUrl}/setup#cse_${'x'.repeat(43)}`)
      await shown(dead.page, 'stopped')
      expect(await dead.page.textContent('#stopped')).toContain('npx castellan up')
      expect(await violations(dead.page)).toEqual([])
      const bare = await visit(browser, theme, `${world.adminUrl}/setup`, { width: 390 })
      await shown(bare.page, 'stopped')
      expect(await bare.page.textContent('#stopped')).toContain('npx castellan setup --terminal')
      expect(await violations(bare.page)).toEqual([])
      const cut = await visit(browser, theme, `${world.adminUrl}/setup#${await world.setupToken()}`, { width: 390 })
      await shown(cut.page, 'account')
      await cut.page.context().setOffline(true)
      await cut.page.fill('#name', 'ana')
      await cut.page.fill('#password', password)
      await cut.page.click('#account-form [type=submit]')
      await cut.page.getByText('Castellan does not answer').waitFor()
      expect(await violations(cut.page)).toEqual([])
      await cut.page.context().setOffline(false)
      await cut.page.click('#account-form [type=submit]')
      await shown(cut.page, 'factor')
    })
  })
})

test('mistakes are shown at their field, announced, and nothing is lost', { timeout: 60_000 }, async () => {
  const world = await openAdminWorld()
  await withBrowser(async (browser) => {
    const { page } = await visit(browser, 'light', `${world.adminUrl}/setup#${await world.setupToken()}`)
    await shown(page, 'account')
    await page.click('#account-form [type=submit]')
    expect(await page.textContent('#name-error')).toBe('Choose a name.')
    expect(await page.evaluate('document.activeElement.id')).toBe('name')
    await page.fill('#name', 'ana')
    await page.fill('#password', 'password')
    await page.click('#account-form [type=submit]')
    await page.locator('#password-error:not(:empty)').waitFor()
    expect(await page.getAttribute('#password', 'aria-invalid')).toBe('true')
    expect(await page.inputValue('#name')).toBe('ana')
    await choose(page, 'ana')
    await page.fill('#code', '000 000')
    await page.click('#factor-form [type=submit]')
    await page.locator('#code-error:not(:empty)').waitFor()
    expect(await page.evaluate('document.activeElement.id')).toBe('code')
  })
})

test('the whole way is possible with the keyboard alone', { timeout: 60_000 }, async () => {
  const world = await openAdminWorld()
  await withBrowser(async (browser) => {
    const { page } = await visit(browser, 'light', `${world.adminUrl}/setup#${await world.setupToken()}`, {
      width: 390,
    })
    await shown(page, 'account')
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1')
    await page.keyboard.press('Tab')
    await page.keyboard.type('ana')
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await shown(page, 'factor')
    const uri = await scanQr(page)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.type(codeOf(world, uri))
    await page.keyboard.press('Enter')
    await shown(page, 'codes')
    for (const key of ['Tab', 'Tab', 'Tab', 'Space', 'Enter']) await page.keyboard.press(key)
    await shown(page, 'ready')
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1')
  })
})

test('an invited person keeps the name they were given', { timeout: 60_000 }, async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const invited = await ana.api('POST', '/people', { name: 'ben', roles: ['viewer'] })
  expect(String(invited.body['url'])).toBe(`https://castle.test/setup#${String(invited.body['token'])}`)
  await withBrowser(async (browser) => {
    const { page } = await visit(browser, 'light', `${world.adminUrl}/setup#${String(invited.body['token'])}`)
    await shown(page, 'account')
    expect(await page.textContent('#account-title')).toBe('You are invited')
    expect(await page.inputValue('#name')).toBe('ben')
    expect(await page.isEditable('#name')).toBe(false)
    await page.fill('#password', password)
    await page.click('#account-form [type=submit]')
    await shown(page, 'factor')
    expect(await page.isVisible('#factor-skip')).toBe(false)
  })
})

test('where a second factor is optional, a long password may go on without one', { timeout: 60_000 }, async () => {
  const world = await openAdminWorld({ secondFactor: 'optional' })
  await withBrowser(async (browser) => {
    const { page } = await visit(browser, 'light', `${world.adminUrl}/setup#${await world.setupToken()}`)
    await choose(page, 'ana')
    await page.click('#factor-skip')
    await shown(page, 'ready')
  })
})

test('without JavaScript the page says so and names the command', { timeout: 60_000 }, async () => {
  const world = await openAdminWorld()
  await withBrowser(async (browser) => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(`${world.adminUrl}/setup`)
    expect(await page.innerText('main')).toContain('npx castellan setup --terminal')
  })
})
