/**
 * Ben signs his terminal in by his browser: the real program shows a code, he types it on the page, compares it and agrees.
 * Several of his programs renew the sign-in at the same moment; he signs out, and what was copied before is worth nothing.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { withBrowser } from '../world/browser.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { flaws } from '../world/pages/visit-pages.ts'
import type { Person } from '../world/people.ts'
import { runProgram, startProgram } from '../world/program.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const codePattern = /^ {4}((?:[A-Z] ){4}- (?:[A-Z] ?){4})$/m

/** The program on a machine of its own. */
function machine(world: World) {
  const home = mkdtempSync(join(tmpdir(), 'castellan-terminal-'))
  const store = join(home, 'castellan', 'session.json')
  const env = { PATH: process.env['PATH'], HOME: home, XDG_CONFIG_HOME: home, CASTELLAN_DATA_DIR: join(home, 'none') }
  const argvOf = (argv: string[]) => [launcher, ...argv, '--admin-url', world.adminUrl]
  return {
    store,
    start: (...argv: string[]) => startProgram(process.execPath, argvOf(argv), { env, cwd: home }),
    run: (...argv: string[]) => runProgram(process.execPath, argvOf(argv), { env, cwd: home }),
  }
}

async function signInAt(page: Page, person: Person): Promise<void> {
  await page.getByLabel('Name').fill(person.name)
  await page.getByLabel('Password').fill(person.password)
  await page.getByLabel('Code').fill(person.nextCode())
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

test('ben signs a terminal in by his browser, uses it from several programs, and signs it out', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', ['viewer'])
  const { store, start, run } = machine(world)
  const login = start('login', '--device')
  const [, spaced = ''] = await login.waitFor(codePattern)
  expect(login.output()).toContain(`${world.gatewayUrl}/device`)
  expect(existsSync(store)).toBe(false)
  await withBrowser(async (browser) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await (await browser.newContext({ colorScheme })).newPage()
      await page.goto(`${world.gatewayUrl}/device`)
      await signInAt(page, ben)
      await page.getByLabel('Code of the device').fill(spaced.replaceAll(' ', ''))
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByText('administer this Castellan').first().waitFor()
      expect(await flaws(page)).toEqual([])
      const folder = process.env['SCREENSHOTS']
      if (folder !== undefined)
        await page.screenshot({ path: join(folder, `device-${colorScheme}.png`), fullPage: true })
      await page.getByRole('button', { name: 'Allow' }).click()
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Sign in a terminal?')
      if (colorScheme === 'light') continue
      await page.getByLabel('I ran castellan login myself').check()
      await page.getByRole('button', { name: 'Allow' }).click()
      await page.getByText('Connected').first().waitFor()
    }
  })
  expect(await login.ended, login.output()).toBe(0)
  expect(login.output()).toContain('signed in as ben')
  expect(statSync(store).mode & 0o777).toBe(0o600)
  expect((await run('user', 'list', '--json')).code).toBe(0)

  const copy = join(store, '..', 'stolen.json')
  writeFileSync(store, readFileSync(store, 'utf8').replace(/"expiresAt": \d+/, '"expiresAt": 1'), { mode: 0o600 })
  const together = await Promise.all([1, 2, 3].map(() => run('user', 'list', '--json')))
  expect(
    together.map(({ code }) => code),
    together.map(({ output }) => output).join('\n'),
  ).toEqual([0, 0, 0])
  const given = (await world.ledger('&event=oauth-token.issued')).map(({ details }) => details?.['grantType'])
  expect(given.filter((type) => type === 'refresh_token')).toHaveLength(1)

  cpSync(store, copy)
  expect((await run('logout')).code).toBe(0)
  expect(existsSync(store)).toBe(false)
  cpSync(copy, store)
  const stolen = await run('user', 'list')
  expect([stolen.code, stolen.output]).toEqual([3, expect.stringContaining('castellan login')])
  expect((await world.ledger('&event=grant.ended')).at(-1)?.details?.['client']).toBe('castellan-cli')
}, 180_000)

test('a sign-in that is interrupted, or denied, leaves nothing behind', async () => {
  const world = await startWorld()
  const { store, start } = machine(world)
  const login = start('login', '--device')
  await login.waitFor(codePattern)
  process.kill(login.pid, 'SIGINT')
  expect(await login.ended).toBe(130)
  expect(existsSync(store)).toBe(false)
  const denied = start('login', '--device')
  const [, spaced = ''] = await denied.waitFor(codePattern)
  await withBrowser(async (browser) => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${world.gatewayUrl}/device`)
    await signInAt(page, world.ana)
    await page.getByLabel('Code of the device').fill(spaced.replaceAll(' ', ''))
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('The device was told no').waitFor()
  })
  expect(await denied.ended).toBe(3)
  expect(denied.output()).toContain('cli.sign-in-denied')
  expect(existsSync(store)).toBe(false)
}, 120_000)
