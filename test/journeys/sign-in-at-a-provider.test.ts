/**
 * Bea signs in with an account that she has elsewhere: in a real browser, at a real provider with pages of its own, over
 * TLS. Her groups there are her roles here. She signs out here and there, and her provider signs her out everywhere.
 */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { withBrowser } from '../world/browser.ts'
import { startWorld, type World } from '../world/castellan.ts'
import {
  type ProviderAccount,
  startIdentityProvider,
  trustAuthority,
} from '../world/identity-provider/start-identity-provider.ts'
import { addRequest } from '../world/identity-provider/lying-provider.ts'
import { makeAuthority } from '../world/wire/tls.ts'

const bea: ProviderAccount = {
  subject: '6d0c-bea',
  login: 'bea@works.test',
  password: 'a password at the works',
  claims: { name: 'Bea B.', preferred_username: 'bea', groups: ['librarians'] },
  amr: ['pwd', 'otp', 'mfa'],
}

async function signIn(page: Page, world: World): Promise<void> {
  await page.goto(`${world.gatewayUrl}/account`)
  await page.getByRole('link', { name: 'Sign in with The Works' }).click()
  await page.getByLabel('Account').fill(bea.login)
  await page.getByLabel('Password').fill(bea.password)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.waitForURL(`${world.gatewayUrl}/account`)
}

async function eventsSince(world: World, seq: number): Promise<string[]> {
  return (await world.ledger()).filter((entry) => entry.seq > seq).map(({ event }) => event)
}

test(
  'from the sign-in page to the provider and back, signed in with the roles of her groups; out again on both sides',
  { timeout: 120_000 },
  async () => {
    const world = await startWorld()
    const authority = await makeAuthority()
    trustAuthority(authority)
    const works = await startIdentityProvider({
      site: world.gatewayUrl,
      name: 'works',
      accounts: [bea],
      tls: await authority.issue(),
    })
    const request = addRequest(works, 'works', {
      scopes: ['openid', 'profile', 'groups'],
      roles: { librarians: ['books-reader'] },
    })
    const added = await world.ana.api('POST', '/providers', { ...request, title: 'The Works' })
    expect(added.body['redirectUri']).toBe(`${world.gatewayUrl}/sso/works/callback`)
    const before = (await world.ledger()).at(-1)?.seq ?? 0

    await withBrowser(async (browser) => {
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      const page = await context.newPage()
      const blocked: string[] = []
      page.on('console', (message) => {
        if (/Content Security Policy|violates/i.test(message.text())) blocked.push(message.text())
      })
      await signIn(page, world)
      expect(await page.locator('body').innerText()).toContain('bea')
      expect(await eventsSince(world, before)).toEqual(['person.provisioned', 'session.started'])
      const bea1 = (await world.ana.api('GET', '/people/bea')).body
      expect(JSON.stringify(bea1)).toContain('books-reader')

      await page.goto(`${world.gatewayUrl}/sign-out`)
      await page.getByRole('link', { name: 'Sign out at The Works, too' }).click()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.waitForURL(/\/session\/end/)
      await page.getByRole('button', { name: 'Yes, sign me out' }).click()
      await page.waitForURL(`${world.gatewayUrl}/sso/works/logged-out`)
      expect(await page.locator('h1').innerText()).toBe('You are signed out')
      await page.goto(`${world.gatewayUrl}/account`)
      expect(page.url()).toContain('/sign-in')
      await expect.poll(() => eventsSince(world, before)).toContain('provider.logout')

      await signIn(page, world)
      const elsewhere = await context.newPage()
      await elsewhere.goto(`${works.issuer}/session/end`)
      await elsewhere.getByRole('button', { name: 'Yes, sign me out' }).click()
      await expect
        .poll(async () => (await world.ledger('&event=provider.logout')).at(-1)?.details?.['sessions'])
        .toBe(1)
      await page.goto(`${world.gatewayUrl}/account`)
      expect(page.url()).toContain('/sign-in')
      expect(blocked).toEqual([])
      await context.close()
    })
  },
)
