import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '#cli'
import { startWorld, type World } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { createTestTerminal } from '../world/terminal.ts'

const places = (world: World) => ({
  CASTELLAN_DATA_DIR: world.dataDir,
  CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl,
})

async function castellan(world: World, argv: string[], more: { stdin?: string; home: string; dataDir?: string }) {
  const environment = { ...places(world), ...(more.dataDir !== undefined && { CASTELLAN_DATA_DIR: more.dataDir }) }
  const terminal = createTestTerminal({
    home: more.home,
    nowMs: world.clock.now(),
    stdin: more.stdin ?? '',
    environment,
  })
  const code = await runCli(argv, { up: () => Promise.reject(new Error('it is up')), terminal })
  return { code, out: terminal.out(), err: terminal.err() }
}

test('an auditor proves an entry and that the ledger only grew, on a machine without a ledger', async () => {
  const world = await startWorld()
  const home = temporaryFolder()
  const at = (name: string) => join(home, name)
  const ana = (argv: string[], stdin = '') => castellan(world, argv, { home, stdin })
  const login = ['login', '--name', 'ana', '--password-stdin', '--code', world.ana.nextCode()]
  expect((await ana(login, world.ana.password)).code).toBe(0)

  expect((await ana(['audit', 'checkpoint', '--out', at('old.checkpoint')])).out).toContain('old.checkpoint')
  expect((await ana(['audit', 'checkpoint', '--out', at('old.checkpoint')])).err).toContain('is there already')
  const told = JSON.parse((await ana(['audit', 'checkpoint', '--json'])).out) as { publicKey: string }
  writeFileSync(at('key.pub'), told.publicKey)
  expect((await ana(['audit', 'proof', '2', '--out', at('2.tlog-proof')])).code).toBe(0)
  expect((await ana(['role', 'put', 'quiet', '--grant', 'servers:use on notes'])).code).toBe(0)
  expect((await ana(['audit', 'consistency', at('old.checkpoint'), '--out', at('since')])).code).toBe(0)
  expect((await ana(['audit', 'proof', '2'])).out).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra \S+\nindex 1\n/)

  const nowhere = temporaryFolder()
  const auditor = (argv: string[]) =>
    castellan(world, ['audit', 'verify', ...argv], { home: nowhere, dataDir: nowhere })
  const key = ['--public-key', at('key.pub')]
  const proved = await auditor(['--proof', at('2.tlog-proof'), ...key])
  expect([proved.code, proved.out]).toEqual([
    0,
    expect.stringMatching(/^the proof holds: entry 2 is in the ledger of \d+/),
  ])
  const grown = await auditor(['--proof', at('since'), '--older', at('old.checkpoint'), ...key, '--json'])
  expect(JSON.parse(grown.out)).toMatchObject({ holds: true, from: expect.any(Number) as unknown })
  expect(grown.code).toBe(0)

  expect((await auditor(['--proof', at('since'), ...key])).err).toContain('needs the checkpoint that was seen before')
  expect((await auditor(['--proof', at('2.tlog-proof')])).err).toContain('there is no public key')
  expect((await auditor(['--proof', at('none'), ...key])).err).toContain('cannot be read')
  writeFileSync(at('forged'), readFileSync(at('2.tlog-proof'), 'utf8').replace('index 1', 'index 0'))
  const forged = await auditor(['--proof', at('forged'), ...key])
  expect([forged.code, forged.err]).toEqual([8, expect.stringContaining('is not entry 1 of the ledger')])
  expect((await ana(['audit', 'proof', '999999'])).err).toContain('the ledger has no entry `999999`')
  expect((await ana(['audit', 'proof', '0'])).code).not.toBe(0)
  expect((await ana(['audit', 'consistency', at('key.pub')])).err).toContain('is no checkpoint')
  expect((await ana(['audit', 'checkpoint', '--out', join(home, 'no', 'folder')])).err).toContain('cannot be written')
  expect(existsSync(join(nowhere, 'ledger.db'))).toBe(false)
}, 60_000)
