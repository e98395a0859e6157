/**
 * An operator lets a directory provision people, by the command line alone: adds it, maps a group, hands a person over,
 * rotates the token, and removes it.
 */
import { expect, test } from 'vitest'
import { runCli } from '#cli'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { sendScim } from '../world/identity-provider/directory.ts'
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

test('add, map, adopt, list, rotate and remove a directory', { timeout: 60_000 }, async () => {
  const world = await startWorld()
  await world.join('ben', [])
  const castellan = await openCommandLine(world)
  const added = await castellan(['scim', 'add', 'entra', '--expires', '30d'])
  expect(added.code, added.err).toBe(0)
  const token = added.out.trim()
  expect(token).toMatch(/^csp_[\w-]{43}$/)
  expect(added.err).toContain(`${world.gatewayUrl}/scim/v2`)
  expect((await castellan(['scim', 'add', 'entra'])).err).toContain('already')
  expect((await castellan(['scim', 'add', 'x', '--expires', '30d', '--client-id', 'y'])).err).toContain('--client-id')

  const map = (...more: string[]) => castellan(['scim', 'map', 'entra', '--group', 'MCP users', ...more])
  expect((await map('--role', reader)).out).toContain('given: nobody')
  expect((await map('--role', 'admin')).err).toContain('--make-administrators')
  expect((await map('--role', 'admin', '--make-administrators')).code).toBe(0)
  expect((await castellan(['scim', 'adopt', 'entra', 'ben', '--user-name', 'ben@example.com'])).out).toContain(
    'ben is ben@example.com for entra',
  )
  expect((await castellan(['scim', 'adopt', 'entra', 'ana'])).code).not.toBe(0)
  const read = (with_: string) => sendScim(world.gatewayUrl, with_, { method: 'GET', path: '/Users' })
  expect((await read(token)).body).toMatchObject({ totalResults: 1, Resources: [{ userName: 'ben@example.com' }] })
  const [listed] = JSON.parse((await castellan(['scim', 'list', '--json'])).out) as Record<string, unknown>[]
  expect(listed).toMatchObject({
    name: 'entra',
    people: 1,
    linkBy: 'sub',
    mappings: [
      { group: 'MCP users', role: 'admin' },
      { group: 'MCP users', role: reader },
    ],
  })
  expect((await castellan(['scim', 'list'])).out).toContain('MCP users: admin')
  const unmap = ['scim', 'unmap', 'entra', '--group', 'MCP users', '--role', 'admin']
  expect((await castellan(unmap)).code).toBe(0)
  expect((await castellan(unmap)).code).not.toBe(0)

  const rotated = await castellan(['scim', 'rotate', 'entra', '--json'])
  const fresh = (JSON.parse(rotated.out) as { token: string }).token
  expect((await read(token)).status).toBe(401)
  expect((await read(fresh)).status).toBe(200)
  expect((await castellan(['scim', 'remove', 'entra', '--yes'])).out).toContain('1 people stay')
  expect((await read(fresh)).status).toBe(401)
  const told = (await world.ledger()).map(({ event }) => event).filter((event) => /^scim\.(?!refused)/.test(event))
  expect(told).toEqual([
    'scim.connection-added',
    'scim.group-mapped',
    'scim.group-mapped',
    'scim.person-adopted',
    'scim.group-unmapped',
    'scim.connection-rotated',
    'scim.connection-removed',
  ])
  expect(JSON.stringify(await world.ledger())).not.toContain(token)
})
