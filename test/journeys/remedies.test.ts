/**
 * A payment of Ben's needs four things: a reason, a consent, a fresh factor and Lea's approval. He follows it in a real
 * browser from his client's refusal to the call that passes, and takes the consent back afterwards.
 */
import type { Browser, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { withBrowser } from '../world/browser.ts'
import { flaws, openWindow, signInOn, type Window } from '../world/pages/visit-pages.ts'
import { type Approvals, call, decide, remedyIn, startApprovals } from '../world/step-up/approvals.ts'
import { pay } from '../world/step-up/payments.ts'

const slow = { timeout: 120_000 }
const shots = process.env['CASTELLAN_SCREENSHOTS']
const head = 'forbid (principal, action in Castellan::Action::"tools:call", resource)'
const when = 'when { resource.name == "echo" };'
const policy = [
  `@id("why") @remedy("justification") @question("Which invoice is this for?") ${head} ${when}`,
  `@id("purpose") @remedy("consent") @purpose("Payments out of the company account") @within("30d") ${head} ${when}`,
  `@id("fresh") @remedy("step-up") ${head} ${when}`,
  `@id("four-eyes") @remedy("approval") @approvers("lead") @within("15m") ${head} ${when}`,
].join('\n')
const payment = pay(10, { arguments: { amount: 10, to: '\u202eevil', note: '<b>rent</b> '.repeat(40) } })

async function openAsked(browser: Browser, { world, token, ben }: Approvals, window: Window) {
  const { id, url = '' } = remedyIn(await call(world, token, payment))
  const { page, complaints } = await openWindow(browser, window)
  await page.goto(url)
  await signInOn(page, ben)
  expect(new URL(page.url()).pathname).toBe(`/remedies/${id}`)
  return { id, page, complaints }
}

async function sayWhyAndConsent(page: Page): Promise<void> {
  await page.getByLabel('Which invoice is this for?').fill('4711')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('You have said why').waitFor()
  await page.getByRole('button', { name: 'I consent' }).click()
  await page.getByText('You have consented').waitFor()
}

async function proveFactor(page: Page, { ben }: Approvals): Promise<void> {
  await page.getByRole('link', { name: 'Prove it' }).click()
  await page.fill('#password', ben.password)
  await page.fill('#code', ben.nextCode())
  await page.getByRole('button', { name: 'Let this call pass' }).click()
  await page.locator('h1', { hasText: 'Proved' }).waitFor()
}

test.each([
  ['light', 1280],
  ['dark', 1280],
  ['light', 320],
  ['dark', 320],
] as const)('a person gives what a call needs, in the %s theme, %d pixels wide', slow, async (theme, width) => {
  const world = await startApprovals({ policy })
  await withBrowser(async (browser) => {
    const { id, page, complaints } = await openAsked(browser, world, { theme, width })
    const look = async (name: string) => {
      expect(await flaws(page), name).toEqual([])
      if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}-${theme}-${width}.png`, fullPage: true })
    }
    const shown = await page.locator('main').innerText()
    for (const part of [
      'books',
      'echo',
      '"amount": 10',
      '\\u202eevil',
      '<b>rent</b>',
      'Waits for 1 approval by lead',
    ]) {
      expect(shown).toContain(part)
    }
    await look('remedies-asked')
    await sayWhyAndConsent(page)
    await look('remedies-given')
    await proveFactor(page, world)
    expect(await decide(world.lea, id)).toMatchObject({ status: 200 })
    await page.goto(`${world.world.gatewayUrl}/remedies/${id}`)
    expect(await page.locator('h1').innerText()).toBe('This call may pass')
    await look('remedies-ready')
    expect((await call(world.world, world.token, payment)).body).toHaveProperty('result')
    await page.reload()
    expect(await page.locator('h1').innerText()).toBe('This call has passed')
    await look('remedies-used')
    await page.goto(`${world.world.gatewayUrl}/account`)
    await look('remedies-account')
    await page.getByRole('button', { name: /Take back/ }).click()
    await page.getByText('You have consented to nothing').waitFor()
    expect(complaints).toEqual([])
  })
  expect(world.world.books.calls('tools/call')).toHaveLength(1)
})

test('all of it is given without JavaScript', slow, async () => {
  const world = await startApprovals({ policy })
  await withBrowser(async (browser) => {
    const { id, page } = await openAsked(browser, world, { hasScripts: false })
    await sayWhyAndConsent(page)
    await proveFactor(page, world)
    expect(await decide(world.lea, id)).toMatchObject({ status: 200 })
  })
  expect((await call(world.world, world.token, payment)).body).toHaveProperty('result')
})
