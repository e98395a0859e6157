/**
 * An operator gives a nightly job an account of its own by the command line alone, its owner looks after it on their page,
 * and the job lives as long as somebody wants it to. Beside it, OAuth clients from the command line.
 */
import { expect, test } from 'vitest'
import { runCli } from '#cli'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool } from '../world/messages.ts'
import { post, register } from '../world/oauth/client.ts'
import { createVisitor } from '../world/oauth/visitor.ts'
import type { Person } from '../world/people.ts'
import { createTestTerminal } from '../world/terminal.ts'

async function commandLine(world: World, person: Person) {
  const home = temporaryFolder()
  const castellan = async (line: string | string[], stdin = '') => {
    const environment = {
      CASTELLAN_DATA_DIR: world.dataDir,
      CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl,
      NO_COLOR: '1',
    }
    const terminal = createTestTerminal({ home, nowMs: world.clock.now(), stdin, environment })
    const argv = typeof line === 'string' ? line.split(' ') : line
    const code = await runCli(argv, { up: () => Promise.reject(new Error('it is up')), terminal })
    const json = <Value>() => JSON.parse(terminal.out()) as Value
    return { code, out: terminal.out(), err: terminal.err(), json }
  }
  const login = ['login', '--name', person.name, '--password-stdin', '--code', person.nextCode()]
  expect((await castellan(login, person.password)).code).toBe(0)
  return castellan
}

const add = ['service-account', 'add', 'nightly', '--owner', 'ben', '--purpose', 'reads at night', '--role', reader]

test('an operator adds a service account, lists and shows it, and gives it a token', { timeout: 60_000 }, async () => {
  const world = await startWorld()
  await world.join('ben', [])
  const ana = await commandLine(world, world.ana)
  const added = await ana([...add, '--days', '20'])
  expect(added.code, added.err).toBe(0)
  expect(added.out).toMatch(/added nightly, owned by ben, until \d{4}-/)
  expect((await ana(add)).err).toContain('nightly')
  expect((await ana([...add.slice(0, 3), '--owner', 'ben'])).code).not.toBe(0)
  expect((await ana([...add, '--days', '0'])).err).toContain('1 to')

  const [listed] = (await ana('service-account list --json')).json<Record<string, unknown>[]>()
  expect(listed).toMatchObject({ name: 'nightly', state: 'active', owner: { name: 'ben' }, daysLeft: 20 })
  expect((await ana('service-account list')).out).toMatch(/nightly\s+ben\s+active\s+20/)
  const users = (await ana('user list')).out
  expect(users).toMatch(/nightly\s+nightly\s+service/)
  expect(users).toMatch(/ben\s+ben\s+person/)

  const asked = await ana('service-account token nightly --upstream books --label night --json')
  const minted = asked.json<{ token: string; id: string }>()
  expect((await world.post({ token: minted.token, message: callTool('echo') })).status).toBe(200)
  expect((await ana('service-account token nightly --upstream books --all')).err).toContain('exactly one address')
  expect((await ana('service-account token nightly --admin')).code).not.toBe(0)
  const shown = (await ana('service-account show nightly')).out
  expect(shown).toContain(`night (${minted.id})`)
  expect(shown).toContain('reads at night')
})

test('its owner looks after it, and an operator ends it', { timeout: 60_000 }, async () => {
  const world = await startWorld()
  const ana = await commandLine(world, world.ana)
  const bens = await commandLine(world, await world.join('ben', []))
  await ana(add)
  expect((await bens('service-account show nightly')).code).toBe(0)
  expect((await bens('service-account list')).code).not.toBe(0)
  expect((await bens('service-account renew nightly --days 30')).out).toContain('nightly goes on until')
  expect((await bens('service-account assign nightly ana')).code).not.toBe(0)
  const asked = await bens('service-account token nightly --upstream books --json')
  const { token, id } = asked.json<{ token: string; id: string }>()
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
  expect((await bens(`token revoke ${id} --yes`)).code).toBe(0)
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
  expect((await ana('service-account assign nightly ana')).out).toContain('ana answers for nightly')
  expect((await bens('service-account show nightly')).code).not.toBe(0)

  expect((await ana('service-account suspend nightly')).err).toContain('--yes')
  expect((await ana('service-account suspend nightly --yes')).out).toContain('suspended nightly')
  expect((await ana('service-account list')).out).toContain('suspended')
  expect((await ana('service-account token nightly --all')).err).toContain('cannot act: it is `suspended`')
  expect((await ana('service-account resume nightly')).out).toContain('resumed nightly')
  expect((await ana('service-account remove nightly --yes')).out).toContain('removed nightly')
  const nothing = await ana('service-account list')
  expect(nothing.out + nothing.err).toContain('no service accounts')
  expect((await ana('service-account show nightly')).code).not.toBe(0)
  const told = (await world.ledger()).filter(({ event }) => event.startsWith('service-account.'))
  const verbs = ['added', 'renewed', 'assigned', 'suspended', 'resumed', 'removed']
  expect(told.map(({ event }) => event)).toEqual(verbs.map((verb) => `service-account.${verb}`))
})

test('add, list, approve and block OAuth clients, one of them a service account', { timeout: 60_000 }, async () => {
  const world = await startWorld({ env: { CASTELLAN_OAUTH__REGISTRATION: 'approved' } })
  const castellan = await commandLine(world, world.ana)
  const portal = await castellan(['client', 'add', 'Our portal', '--redirect', 'https://portal.example.com/callback'])
  expect(portal.out).toMatch(/^client \S+\n$/)
  const plain = await castellan(['client', 'add', 'Bad', '--redirect', 'http://portal.example.com/callback'])
  expect([plain.code === 0, plain.err]).toEqual([false, expect.stringContaining('https')])

  await castellan(['service-account', 'add', 'nightly', '--owner', 'ana', '--purpose', 'reads', '--role', reader])
  expect((await castellan('client add x --service-account nobody')).code).not.toBe(0)
  expect((await castellan('client add x --service-account ana')).code).not.toBe(0)
  const added = (await castellan('client add nightly --service-account nightly --json')).json<{
    client: { id: string; personId: string }
    secret: string
  }>()
  const basic = Buffer.from(`${added.client.id}:${added.secret}`).toString('base64')
  const fields = { grant_type: 'client_credentials', scope: 'mcp', resource: `${world.gatewayUrl}/servers/books/mcp` }
  const ask = () => post(world.gatewayUrl, '/oauth/token', fields, { authorization: `Basic ${basic}` })
  const token = String((await ask()).body['access_token'])
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
  expect((await castellan('service-account show nightly')).out).toContain(`nightly (${added.client.id})`)

  const waiting = String((await register(world.gatewayUrl)).body['client_id'])
  expect((await castellan('client list')).out).toMatch(/itself.*waits for approval/)
  expect((await castellan(`client approve ${waiting}`)).out).toContain(': known')
  expect((await castellan(`client block ${added.client.id}`)).err).toContain('--yes')
  expect((await castellan(`client block ${added.client.id} --yes`)).out).toContain('nightly: blocked')
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
  expect((await ask()).status).toBe(401)
  const listed = (await castellan('client list --json')).json<{ id: string; name: string; isBlocked: boolean }[]>()
  expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(['Our portal', 'nightly']))
  expect(listed.find(({ id }) => id === added.client.id)).toMatchObject({ isBlocked: true, actsAsPerson: false })
  expect((await castellan('client approve no-such-client')).err).toContain('no such OAuth client')
})

test('an owner sees their service accounts on their page, renews one and stops it', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [])
  const fresh = { name: 'nightly', purpose: 'reads <b>books</b>', owner: 'ben', days: 3, roles: [reader] }
  const { id } = (await world.ana.api('POST', '/service-accounts', fresh)).body
  await world.ana.api('POST', '/service-accounts', { ...fresh, name: 'of-ana', owner: 'ana' })
  const visitor = createVisitor(world.gatewayUrl)
  const door = await visitor.open(`${world.gatewayUrl}/account`)
  const page = await visitor.submit(door, { name: 'ben', password: ben.password, code: ben.nextCode() })
  for (const words of [
    'nightly',
    'Ends soon',
    '2 days',
    'A service account was made in your name',
    'by <bdi>ana</bdi>',
  ]) {
    expect(page.text).toContain(words)
  }
  expect(page.text).not.toContain('of-ana')
  expect(page.text).not.toContain('<b>books</b>')
  const renewed = await visitor.submit(page, { do: 'renew', id: String(id) })
  expect(renewed.text).toContain('goes on; its new end is below')
  expect(renewed.text).toContain('90 days left')
  const stopped = await visitor.submit(page, { do: 'stop', id: String(id) })
  expect(stopped.text).toContain('can do nothing more')
  expect(stopped.text).toContain('Stopped')
  const foreign = (await world.ana.api('GET', '/service-accounts/of-ana')).body['id']
  expect((await visitor.submit(page, { do: 'stop', id: String(foreign) })).status).toBe(404)
  const state = (await world.ana.api('GET', '/service-accounts')).body['items'] as Record<string, unknown>[]
  expect(state.map((one) => [one['name'], one['state']])).toEqual([
    ['of-ana', 'active'],
    ['nightly', 'suspended'],
  ])
})
