import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '#cli'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { obtainTokens } from '../world/oauth/client.ts'
import type { Person } from '../world/people.ts'
import { distrustRulesInForce } from '../world/policies/distrust.ts'
import { createTestTerminal } from '../world/terminal.ts'

const notesServer = fileURLToPath(new URL('../../examples/notes-server/notes-server.ts', import.meta.url))
let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'castellan-journey-'))
})
afterEach(() => rmSync(home, { recursive: true }))

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What `--json` printed. */
  json<Value>(): Value
}

/** The command line of a person on their own machine, with the world's clock. */
function commandLine(world: World, owner: string) {
  return async (argv: string[], stdin = ''): Promise<Ran> => {
    const terminal = createTestTerminal({
      home: join(home, owner),
      nowMs: world.clock.now(),
      stdin,
      environment: { CASTELLAN_DATA_DIR: world.dataDir, CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl },
    })
    const up = () => Promise.reject(new Error('it is up'))
    const code = await runCli(argv, { up, terminal })
    return { code, out: terminal.out(), err: terminal.err(), json: <Value>() => JSON.parse(terminal.out()) as Value }
  }
}

async function signedIn(world: World, person: Person) {
  const castellan = commandLine(world, person.name)
  const argv = ['login', '--name', person.name, '--password-stdin', '--code', person.nextCode()]
  const { code, err } = await castellan(argv, person.password)
  expect(code, err).toBe(0)
  return castellan
}

test('an operator puts a server behind castellan, gives a role, and a person calls a tool of it', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  expect((await ana(['upstream', 'add', 'notes', '--stdio', '--', process.execPath, notesServer])).code).toBe(0)
  const reviewed = (await ana(['upstream', 'review', 'notes', '--json'])).json<{ tool: string; status: string }[]>()
  expect(reviewed.map(({ status }) => status)).toEqual(['new', 'new', 'new', 'new'])
  expect((await ana(['upstream', 'approve', 'notes', 'create_note', 'list_notes'])).code).toBe(0)
  const grants = ['--grant', 'servers:use on notes', '--grant', 'tools:call on notes/tools/*']
  expect((await ana(['role', 'put', 'notetaker', ...grants])).code).toBe(0)

  const bo = await signedIn(world, await world.join('bo', ['viewer']))
  // Without a role for it, the upstream looks like one that does not exist.
  expect((await bo(['demo', 'call'])).code).toBe(6)
  expect((await ana(['role', 'grant', 'notetaker', 'bo'])).code).toBe(0)
  const { steps } = (await bo(['demo', 'call', '--json'])).json<{ steps: { name: string; entry?: number }[] }>()
  expect(steps.map(({ name }) => name)).toEqual([
    'make a token',
    'connect',
    'list the tools',
    'call create_note',
    'call list_notes',
    'revoke the token',
  ])
  const entry = steps.find(({ name }) => name === 'call create_note')?.entry
  const recorded = (await ana(['audit', 'show', String(entry), '--json'])).json<object>()
  expect(recorded).toMatchObject({ principal: { name: 'bo' }, target: { upstream: 'notes', name: 'create_note' } })
})

test('an operator gives a server a second address, sees how both are, and takes one away', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  type Endpoint = {
    id: string
    url: string
    weight: number
    region: string | null
    isHealthy: boolean
    breaker: string
  }
  const list = async (word = 'list') => (await ana(['endpoint', word, 'books', '--json'])).json<Endpoint[]>()
  const [first] = await list()
  expect(first).toMatchObject({ url: world.books.url, weight: 1, region: null, isHealthy: true, breaker: 'closed' })
  const secret = 'http://127.0.0.1:1/mcp?key=hunter2'
  expect((await ana(['endpoint', 'add', 'books', '--url', secret, '--weight', '7', '--region', 'eu'])).code).toBe(0)
  expect((await ana(['endpoint', 'add', 'books', '--url', secret])).code).toBe(7)
  expect((await ana(['endpoint', 'add', 'books', '--url', secret, '--weight', '1.5'])).code).toBe(1)
  await list('check')
  const checked = await list('check')
  expect(checked.find(({ weight }) => weight === 7)).toMatchObject({ region: 'eu', isHealthy: false })
  expect(JSON.stringify(checked)).not.toContain('hunter2')
  const table = await ana(['endpoint', 'list', 'books'])
  expect(table.out).toContain('unhealthy')
  const second = checked.find(({ weight }) => weight === 7)?.id ?? ''
  expect((await ana(['endpoint', 'remove', 'books', second, '--yes'])).code).toBe(0)
  expect((await ana(['endpoint', 'remove', 'books', first?.id ?? '', '--yes'])).code).toBe(7)
  expect((await ana(['endpoint', 'list', 'nothing'])).code).toBe(6)
})

test('what a person may not see or do ends with the exit code for it', async () => {
  const world = await startWorld()
  const bo = await signedIn(world, await world.join('bo', ['viewer']))
  expect((await bo(['user', 'suspend', 'ana', '--yes'])).code).toBe(5)
  expect((await bo(['audit', 'list'])).code).toBe(5)
  const ana = await signedIn(world, world.ana)
  expect((await ana(['user', 'show', 'nobody'])).code).toBe(6)
  expect((await ana(['role', 'revoke', 'admin', 'ana', '--yes'])).code).toBe(7)
  expect((await ana(['user', 'suspend', 'bo', '--yes'])).code).toBe(0)
  expect((await bo(['upstream', 'list'])).code).toBe(3)
  expect((await ana(['logout'])).code).toBe(0)
  expect((await ana(['user', 'list'])).code).toBe(3)
  await world.stop()
  expect((await ana(['login', '--name', 'ana', '--password-stdin', '--code', '123456'], 'x')).code).toBe(4)
})

test('a hold stops a person at once and its lifting lets them go on', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  const bo = await signedIn(world, await world.join('bo', ['viewer']))
  const placed = await ana(['hold', 'place', '--person', 'bo', '--reason', 'laptop lost', '--for', '1h', '--json'])
  const { id } = placed.json<{ id: string }>()
  expect((await bo(['upstream', 'list'])).code).toBe(5)
  expect((await ana(['hold', 'list'])).out).toContain('laptop lost')
  expect((await ana(['hold', 'lift', id])).code).toBe(0)
  expect((await bo(['upstream', 'list'])).code).toBe(0)
  expect((await ana(['hold', 'list', '--json'])).json<object[]>()).toEqual([])
})

test('a token is made for one upstream, listed, and works no more once it is revoked', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  const made = (await ana(['connect', 'vscode', '--upstream', 'books', '--days', '1', '--print', '--json'])).json<{
    token: string
    tokenId: string
    document: { servers: Record<string, { url: string }> }
  }>()
  expect(made.document.servers['castellan-books']?.url).toBe(`${world.gatewayUrl}/servers/books/mcp`)
  const message = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
  }
  expect((await world.post({ token: made.token, message })).status).toBe(200)
  expect((await ana(['token', 'list'])).out).toMatch(new RegExp(`${made.tokenId}.*active.*books`))
  expect((await ana(['token', 'revoke', made.tokenId, '--yes'])).code).toBe(0)
  expect((await world.post({ token: made.token, message })).status).toBe(401)
  expect((await ana(['token', 'list', '--json'])).out).not.toContain(made.token)
})

test('the ledger is proved from the data folder, and a changed entry is named with exit code 8', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  const verified = await ana(['audit', 'verify', '--json'])
  expect(verified.code).toBe(0)
  expect(verified.json<{ holds: boolean; size: number }>().holds).toBe(true)
  const copy = join(home, 'copy')
  cpSync(world.dataDir, copy, { recursive: true })
  const database = new DatabaseSync(join(copy, 'ledger.db'))
  database.exec(`update entries set body = replace(body, 'succeeded', 'refused') where seq = 3`)
  database.close()
  const changed = await ana(['audit', 'verify', '--data-dir', copy])
  expect(changed.code).toBe(8)
  expect(changed.err).toMatch(/error\[audit\.does-not-hold\]: .*changed: entry 3 /)
})

test('searching the ledger by name finds what the person did', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  await signedIn(world, await world.join('bo', ['viewer']))
  const entries = (await ana(['audit', 'list', '--person', 'bo', '--json'])).json<{ principal?: { name: string } }[]>()
  expect(entries.length).toBeGreaterThan(0)
  expect(new Set(entries.map(({ principal }) => principal?.name))).toEqual(new Set(['bo']))
})

test('doctor finds a running installation in order', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  const findings = (await ana(['doctor', '--json'])).json<{ name: string; state: string }[]>()
  expect(findings.filter(({ state }) => state === 'fail')).toEqual([])
  expect(findings.map(({ name }) => name)).toEqual([
    'node',
    'config',
    'data folder',
    'gateway TLS',
    'admin TLS',
    'networks',
    'gateway',
    'admin',
    'readiness',
    'ledger',
    'clock',
    'session',
    'policy',
  ])
})

test('doctor says that rules are distrusted, and what to do', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  await distrustRulesInForce(world.databaseUrl, world.clock.now())
  const found = await ana(['doctor'])
  expect(found.code).toBe(1)
  expect(found.out).toMatch(/FAIL +policy +snapshot \d+ denies everything/)
  expect(found.out).toContain('hint: publish other rules')
})

test('two administrators let a third one in who lost everything, on the command line', async () => {
  const world = await startWorld()
  const [ana, bea] = [await signedIn(world, world.ana), await signedIn(world, await world.join('bea', ['admin']))]
  await world.join('cyd', ['admin'])
  expect((await ana(['user', 'factors', 'cyd', '--json'])).json<{ kind: string }[]>().map(({ kind }) => kind)).toEqual([
    'password',
    'totp',
    'recovery-codes',
  ])
  const reset = ['user', 'reset', 'cyd', '--lost', 'factors', '--reason', 'came to my desk', '--yes', '--json']
  const started = (await ana(reset)).json<{ reset: { id: string }; link: null }>()
  expect(started.link).toBeNull()
  const { id } = started.reset
  expect((await ana(['user', 'approve-reset', id, '--yes'])).err).toContain('identity.reset-needs-another')
  expect((await bea(['user', 'resets'])).out).toContain('1 of 2')
  const approved = await bea(['user', 'approve-reset', id, '--yes'])
  expect(approved.out).toMatch(/\/setup#cse_[\w-]{43}\n$/)
  expect((await ana(['user', 'reset', 'cyd', '--lost', 'phone', '--reason', 'x', '--yes'])).err).toContain(
    'cli.bad-reset',
  )
  expect((await ana(['user', 'revoke-factor', 'bea', 'recovery-codes', '--yes'])).out).toContain('bea')
  expect((await ana(['user', 'cancel-reset', id])).err).toContain('identity.reset-unknown')
})

test('an operator sees what stands open for a person, and ends it', { timeout: 60_000 }, async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  const person = await world.join('bo', [reader])
  const bo = await signedIn(world, person)
  await obtainTokens(world.gatewayUrl, person)
  const open = async (run: typeof ana, argv: string[]) =>
    (await run(['user', ...argv, '--json'])).json<{ id: string }[]>()
  const [grant] = await open(ana, ['grants', 'bo'])
  expect(await open(bo, ['grants'])).toEqual([grant])
  expect((await bo(['user', 'grants', 'ana'])).err).toContain('admin.not-permitted')
  expect((await bo(['user', 'end-grant', grant?.id ?? '', '--of', 'ana', '--yes'])).code).not.toBe(0)
  const ended = await ana(['user', 'end-grant', grant?.id ?? '', '--of', 'bo', '--yes'])
  expect([ended.code, ended.out]).toEqual([0, 'Test client may act no longer\n'])
  expect((await bo(['user', 'grants'])).err).toContain('no client or terminal may act')
  for (const { id } of await open(ana, ['sessions', 'bo']))
    expect((await ana(['user', 'end-session', id, '--of', 'bo', '--yes'])).code).toBe(0)
  expect((await bo(['user', 'sessions'])).code).not.toBe(0)
  expect((await ana(['user', 'sessions'])).out).toContain('this one')
})
