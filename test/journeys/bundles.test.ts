import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '#cli'
import { startWorld, type World } from '../world/castellan.ts'
import { modern } from '../world/messages.ts'
import { createTestTerminal } from '../world/terminal.ts'

let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'castellan-bundles-'))
})
afterEach(() => rmSync(home, { recursive: true }))

function commandLine(world: World) {
  return async (argv: string[], stdin = '') => {
    const terminal = createTestTerminal({
      home,
      nowMs: world.clock.now(),
      stdin,
      environment: { CASTELLAN_DATA_DIR: world.dataDir, CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl },
    })
    const code = await runCli(argv, { up: () => Promise.reject(new Error('it is up')), terminal })
    return { code, out: terminal.out(), err: terminal.err() }
  }
}

test('an administrator makes a bundle, mints tokens for it and for all servers, and removes it', async () => {
  const world = await startWorld()
  const castellan = commandLine(world)
  const signedIn = ['login', '--name', 'ana', '--password-stdin', '--code', world.ana.nextCode()]
  expect((await castellan(signedIn, world.ana.password)).code).toBe(0)

  expect((await castellan(['bundle', 'list'])).err).toContain('no bundles')
  const added = await castellan(['bundle', 'add', 'work', 'books'])
  expect(added.out).toContain('bundle work has books')
  expect((await castellan(['bundle', 'add', 'other', 'nobody'])).code).not.toBe(0)
  expect((await castellan(['bundle', 'list'])).out).toMatch(/work +books/)
  expect((await castellan(['bundle', 'show', 'work'])).out).toContain(`${world.gatewayUrl}/bundles/work/mcp`)
  expect((await castellan(['bundle', 'show', 'none'])).code).not.toBe(0)

  const listing = modern({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  for (const [options, upstream] of [
    [['--bundle', 'work'], '/bundles/work/mcp'],
    [['--all'], '/mcp'],
  ] as const) {
    const made = await castellan(['token', 'create', ...options, '--json'])
    const { token, resource } = JSON.parse(made.out) as { token: string; resource: string }
    expect(resource).toBe(`${world.gatewayUrl}${upstream}`)
    expect((await world.post({ token, upstream, ...listing })).status).toBe(200)
  }
  const tokens = (await castellan(['token', 'list'])).out
  expect(tokens).toMatch(/active +bundle work/)
  expect(tokens).toMatch(/active +all/)
  expect((await castellan(['token', 'create'])).code).not.toBe(0)
  expect((await castellan(['token', 'create', '--all', '--bundle', 'work'])).code).not.toBe(0)

  expect((await castellan(['bundle', 'remove', 'work', '--yes'])).code).toBe(0)
  expect((await castellan(['bundle', 'remove', 'work', '--yes'])).code).not.toBe(0)
})
