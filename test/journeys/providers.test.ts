/**
 * An operator lets people sign in at a provider, by the command line alone: adds it with a secret from a file, tests it,
 * links a person, and removes it.
 */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '#cli'
import { readMapping } from '../../src/cli/identity/provider.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { startLyingProvider } from '../world/identity-provider/lying-provider.ts'
import { createTestTerminal } from '../world/terminal.ts'

async function openCommandLine(world: World) {
  const home = temporaryFolder()
  const castellan = async (argv: string[], stdin = '') => {
    const environment = {
      CASTELLAN_DATA_DIR: world.dataDir,
      CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl,
      NO_COLOR: '1',
    }
    const terminal = createTestTerminal({ home, nowMs: world.clock.now(), stdin, environment })
    const code = await runCli(argv, { up: () => Promise.reject(new Error('it is up')), terminal })
    return { code, out: terminal.out(), err: terminal.err() }
  }
  const login = ['login', '--name', 'ana', '--password-stdin', '--code', world.ana.nextCode()]
  expect((await castellan(login, world.ana.password)).code).toBe(0)
  return castellan
}

test('add, test, link, list and remove a provider', { timeout: 60_000 }, async () => {
  const world = await startWorld()
  const works = await startLyingProvider()
  const castellan = await openCommandLine(world)
  const secret = join(temporaryFolder(), 'secret')
  writeFileSync(secret, `${works.clientSecret}\n`)
  chmodSync(secret, 0o644)
  const given = `provider add works --issuer ${works.issuer} --client-id castellan --client-secret-file ${secret}`
  const rules = '--provision jit --scope profile --role librarians=books-reader,viewer a=b=viewer --mfa-acr high'
  const add = [...`${given} ${rules} --dangerously-allow-plain-http --title`.split(' '), 'The Works']
  expect((await castellan(add)).err).toContain('chmod 600')
  chmodSync(secret, 0o600)
  const added = await castellan(add)
  expect(added.err + added.out).toContain(`${world.gatewayUrl}/sso/works/callback`)
  expect(added.code).toBe(0)
  expect((await castellan(add)).err).toContain('already')
  const [listed] = JSON.parse((await castellan(['provider', 'list', '--json'])).out) as { settings: unknown }[]
  expect(listed?.settings).toMatchObject({
    scopes: ['openid', 'profile'],
    provision: 'jit',
    mfa: { amr: ['mfa'], acr: ['high'] },
    roles: { librarians: ['books-reader', 'viewer'], 'a=b': ['viewer'] },
  })

  expect((await castellan(['provider', 'test', 'works'])).out).toContain(`token_endpoint ${works.issuer}/token`)
  works.says.metadata = { token_endpoint: 'https://elsewhere.test/token' }
  const unusable = await castellan(['provider', 'test', 'works'])
  expect(unusable.code).not.toBe(0)
  expect(unusable.err).toContain('token_endpoint: foreign-host')

  expect((await castellan(['provider', 'link', 'works', 'ana', 'her-subject'])).code).toBe(0)
  expect((await castellan(['provider', 'links', 'works'])).out).toContain('her-subject')
  expect((await castellan(['provider', 'unlink', 'works', 'her-subject'])).code).toBe(0)
  expect((await castellan(['provider', 'remove', 'works', '--yes'])).out).toContain('removed works')
  expect((await castellan(['provider', 'list'])).out + (await castellan(['provider', 'list'])).err).toContain(
    'no identity',
  )
  const told = (await world.ledger()).map(({ event }) => event)
  expect(told.filter((event) => event.startsWith('provider.'))).toEqual([
    'provider.added',
    'provider.linked',
    'provider.unlinked',
    'provider.removed',
  ])
  expect(JSON.stringify(await world.ledger())).not.toContain(works.clientSecret)
})

test.each(['', 'group', '=role', 'group=', 'group=a,', 'group=,a'])('%j is not a group with its roles', (text) => {
  expect(() => readMapping(text)).toThrow('is not a group with its roles')
})
