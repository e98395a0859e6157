/**
 * Ben, in a real browser with an authenticator that is built into it: adds a passkey on his account page, and signs in
 * with it and nothing else.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { withBrowser } from '../world/browser.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { flaws } from '../world/pages/visit-pages.ts'
import type { Person } from '../world/people.ts'

/** A CTAP2 authenticator with resident keys that takes its person for verified. */
async function addAuthenticator(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  const options = {
    protocol: 'ctap2' as const,
    transport: 'internal' as const,
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  }
  await devtools.send('WebAuthn.addVirtualAuthenticator', { options })
}

async function openPage(browser: Browser): Promise<{ context: BrowserContext; page: Page; complaints: string[] }> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await addAuthenticator(page)
  return { context, page, complaints }
}

async function signInByPassword(page: Page, world: World, person: Person): Promise<void> {
  await page.goto(`${world.gatewayUrl}/sign-in`)
  await page.getByLabel('Name').fill(person.name)
  await page.getByLabel('Password').fill(person.password)
  await page.getByLabel('Code').fill(person.nextCode())
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(`${world.gatewayUrl}/account`)
}

async function addPasskey(page: Page, person: Person): Promise<void> {
  await page.getByRole('link', { name: 'Add a passkey' }).click()
  expect(await flaws(page)).toEqual([])
  await page.getByLabel('Password').fill(person.password)
  await page.getByLabel('Code').fill(person.nextCode())
  await page.getByRole('button', { name: 'Continue' }).click()
  expect(await flaws(page)).toEqual([])
  await page.getByLabel('Name of the passkey').fill('work laptop')
  await page.getByRole('button', { name: 'Create passkey' }).click()
  await page.getByText('The passkey is added').waitFor()
}

test('ben adds a passkey and signs in with it alone; the ledger says with which factor', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  await withBrowser(async (browser) => {
    const { context, page, complaints } = await openPage(browser)
    await signInByPassword(page, world, ben)
    await addPasskey(page, ben)
    await page.getByText('work laptop').first().waitFor()

    await context.clearCookies()
    await page.goto(`${world.gatewayUrl}/sign-in?next=/account`)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await page.waitForURL(`${world.gatewayUrl}/account`)
    expect(await page.getByText('You are signed in as').innerText()).toContain('ben')

    await page.getByRole('link', { name: 'Change work laptop' }).click()
    expect(await flaws(page)).toEqual([])
    await page.getByLabel('Name of the passkey').fill('old laptop')
    await page.getByRole('button', { name: 'Prove it with a passkey and save' }).click()
    await page.getByText('The passkey has its new name').waitFor()
    expect(complaints).toEqual([])
  })
  const started = (await world.ledger('&event=session.started')).filter((entry) => entry.principal?.name === 'ben')
  expect(started.at(-1)?.details?.['factors']).toEqual(['passkey'])
  expect(await world.ledger('&event=passkey.added')).toHaveLength(1)
}, 120_000)

test('ben lost his password: the link fills itself in, and no key of it stays in the address', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const { body } = await world.ana.api('POST', '/people/ben/resets', { kind: 'password-lost', reason: 'he called' })
  const { url } = body['link'] as { url: string }
  await withBrowser(async (browser) => {
    const { page, complaints } = await openPage(browser)
    await page.goto(url)
    expect(page.url()).toBe(`${world.gatewayUrl}/recover`)
    expect(await page.getByLabel('Key of the link').inputValue()).toBe(url.split('#')[1])
    expect(await flaws(page)).toEqual([])
    await page.getByLabel('Code', { exact: true }).fill(ben.nextCode())
    await page.getByLabel('New password').fill('a new sentence about the keep')
    await page.getByRole('button', { name: 'Set password' }).click()
    await page.getByText('Everything you had open has ended').waitFor()
    expect(complaints).toEqual([])
  })
  expect((await ben.api('GET', '/me')).status).toBe(401)
}, 120_000)
