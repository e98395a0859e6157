/**
 * Ben's call needs a word of why, his consent, and an approval. He gives the first two on the page that his client was sent
 * to; Lea reads the whole call at her command line and approves it there; the call passes.
 */
import type { Browser } from 'playwright-core'
import { runCli } from '#cli'
import { expect, test } from 'vitest'
import type { World } from '../world/castellan.ts'
import { withBrowser } from '../world/browser.ts'
import { temporaryFolder } from '../world/folder.ts'
import type { Person } from '../world/people.ts'
import { flaws, openWindow, signInOn } from '../world/pages/visit-pages.ts'
import { call, remedyIn, startApprovals, type Approvals } from '../world/step-up/approvals.ts'
import { pay } from '../world/step-up/payments.ts'
import { createTestTerminal } from '../world/terminal.ts'

const policy = `
@id("why") @remedy("justification") @question("Which invoice is it?")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };
@id("look") @remedy("consent") @purpose("To pay from your books") @within("1d")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };
@id("eyes") @remedy("approval") @approvers("lead")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };
`
const tricky = { to: 'ada\u202e\u0000', note: '\u001b[2Jpaid' }

async function signedIn(world: World, person: Person) {
  const home = temporaryFolder()
  const castellan = async (argv: readonly string[], stdin = '') => {
    const environment = {
      CASTELLAN_DATA_DIR: world.dataDir,
      CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl,
      NO_COLOR: '1',
    }
    const terminal = createTestTerminal({ home, nowMs: world.clock.now(), stdin, environment })
    const code = await runCli([...argv], { up: () => Promise.reject(new Error('it is up')), terminal })
    return { code, output: terminal.out() + terminal.err() }
  }
  const login = ['login', '--name', person.name, '--password-stdin', '--code', person.nextCode()]
  expect((await castellan(login, person.password)).code).toBe(0)
  return castellan
}

async function give({ world, ben }: Approvals, browser: Browser, url: string): Promise<void> {
  const { page, complaints } = await openWindow(browser, { hasScripts: true })
  await page.goto(url)
  await signInOn(page, ben)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    expect(await flaws(page), colorScheme).toEqual([])
  }
  expect(await page.locator('pre.call').innerText()).toContain('\\u202e')
  await page.getByLabel('Which invoice is it?').fill('invoice 4711')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('You have said why').waitFor()
  await page.getByRole('button', { name: 'I consent' }).click()
  await page.getByText('Waits for 1 approval by lead').waitFor()
  expect(await flaws(page)).toEqual([])
  await page.goto(`${world.gatewayUrl}/account`)
  await page.getByText('To pay from your books').first().waitFor()
  expect(await flaws(page)).toEqual([])
  expect(complaints).toEqual([])
}

test('a person says why and consents on the page, an approver reads and approves at the command line', async () => {
  const started = await startApprovals({ policy })
  const { world, token, lea } = started
  const message = pay(10, { arguments: tricky })
  const { id, url = '' } = remedyIn(await call(world, token, message))
  await withBrowser((browser) => give(started, browser, url))
  const castellan = await signedIn(world, lea)
  const listed = await castellan(['approval', 'list'])
  expect(listed).toMatchObject({ code: 0, output: expect.stringContaining(id) })
  const shown = await castellan(['approval', 'show', id])
  for (const part of ['ben', 'invoice 4711', 'asks for approval: 1 of lead', '\\u202e', '\\u001b[2Jpaid'])
    expect(shown.output).toContain(part)
  expect(shown.output).not.toContain('\u001b[2J')
  const approved = await castellan(['approval', 'approve', id, '--reason', 'checked', '--yes'])
  expect(approved).toMatchObject({ code: 0, output: expect.stringContaining('the call passes once') })
  expect(await call(world, token, message)).toMatchObject({ body: { result: {} } })
  expect((await castellan(['approval', 'list'])).output).toContain('no call waits for you')
  const next = remedyIn(await call(world, token, message))
  const denied = await castellan(['approval', 'deny', next.id, '--reason', 'twice'])
  expect(denied).toMatchObject({ code: 0, output: expect.stringContaining('denied') })
  expect(await call(world, token, message)).toMatchObject({ body: { error: { data: { code: 'policy.call-denied' } } } })
}, 120_000)
