import { isRefusal, type Principal, type Refusal } from '#kernel'
import { type Database, openDatabase } from '#platform/database'
import { expect, onTestFinished, test } from 'vitest'
import { eachDatabase, freshSqlite, restingRevision } from '../../../test/world/databases.ts'
import { given, identityWorld, refusalOf } from '../../../test/world/identity.ts'
import { startIssuer, type TestIssuer } from '../../../test/world/issuers/issuer.ts'
import { createKey } from '../../../test/world/issuers/signing.ts'
import type { IssuerSettings } from './settings.ts'
import { pauseMs } from './issuer-keys.ts'

const resource = 'https://gate.example.com/servers/books/mcp'

function settingsOf(issuer: string, more: Partial<IssuerSettings> = {}): IssuerSettings {
  return {
    issuer,
    endpointHosts: [],
    audiences: {},
    algorithms: ['ES256', 'RS256', 'EdDSA'],
    typ: 'at+jwt',
    claims: { name: 'name', groups: 'groups', client: 'client_id' },
    roles: { staff: ['reader'], chiefs: ['admin', 'reader'] },
    scopes: ['mcp'],
    mfa: { amr: ['mfa'], acr: [] },
    requireMfa: false,
    clockSkewSeconds: 30,
    tokenMaxAgeSeconds: 86_400,
    keysFreshSeconds: 300,
    keysStaleSeconds: 3_600,
    ...more,
  }
}

async function stage(database: Database, more: Partial<IssuerSettings> = {}) {
  const seconds = { now: (): number => 0 }
  const issuer = await startIssuer({ nowSeconds: () => seconds.now() })
  onTestFinished(() => issuer.close())
  const settings = { issuers: [settingsOf(issuer.issuer, more)] }
  const world = await identityWorld(database, settings)
  seconds.now = () => Math.floor(world.clock.now() / 1_000)
  const ask = (token: string, where = resource) => world.identity.authenticateAccessToken(token, where)
  return { ...world, issuer, ask, advance: (s: number) => world.clock.advance(s * 1_000) }
}

function reasonOf(answer: Principal | Refusal): unknown {
  return isRefusal(answer) ? answer.detail['reason'] : 'accepted'
}

eachDatabase('a person of another issuer', (open, openAgain) => {
  test('a person of an issuer has the roles that their groups are mapped to, and a row as anybody has', async () => {
    const { ask, issuer, identity, entries, database } = await stage(await open())
    const token = issuer.token(resource, { groups: ['chiefs', 'admin', 'reader'], amr: ['pwd', 'mfa'] })
    const principal = given(await ask(token))
    expect(principal).toMatchObject({
      roles: ['admin', 'reader'],
      mappedRoles: ['admin', 'reader'],
      factors: ['identity-provider', 'identity-provider-mfa'],
      client: { id: 'app-1', scopes: ['openid', 'mcp'] },
      credential: { kind: 'external-token' },
    })
    expect(principal.name).toMatch(/^ida-holm\.ext-[0-9a-f]{24}$/)
    expect(await identity.people.find(principal.id)).toMatchObject({
      name: principal.name,
      displayName: 'Ida Holm',
      status: 'active',
      roles: [],
    })
    const recorded = (await entries()).filter(({ event }) => event === 'person.recognised')
    expect(recorded).toHaveLength(1)
    expect(recorded[0]?.details).toMatchObject({ issuer: issuer.issuer, subject: 'u-4711', roles: ['admin', 'reader'] })
    await restingRevision(database)
    await ask(token)
    expect(ask(token)).toEqual(principal)
  })

  test('roles that an admin gave by hand count beside those of the mapping', async () => {
    const { ask, issuer, database } = await stage(await open())
    const first = given(await ask(issuer.token(resource)))
    const grant = { person_id: first.id, role: 'writer', granted_at: 0, granted_by: null }
    await database.query.insertInto('role_grants').values(grant).execute()
    const next = given(await ask(issuer.token(resource)))
    expect([next.roles, next.mappedRoles]).toEqual([['reader', 'writer'], ['reader']])
  })

  test('a suspended person is refused with every token, and comes back when resumed', async () => {
    const { ask, issuer, identity } = await stage(await open())
    const token = issuer.token(resource)
    const principal = given(await ask(token))
    const by = { id: 'castellan', name: 'castellan' }
    given(await identity.people.suspend(principal.id, by))
    expect(reasonOf(await ask(token))).toBe('suspended')
    expect(reasonOf(await ask(issuer.token(resource)))).toBe('suspended')
    expect(await identity.stillValid(principal)).toBe(false)
    given(await identity.people.resume(principal.id, by))
    expect(reasonOf(await ask(token))).toBe('accepted')
    expect(await identity.stillValid(principal)).toBe(true)
  })

  test('what a newer token takes away, the older one has lost as well, on each node', async () => {
    const opened = await open()
    const { ask, issuer, advance, another } = await stage(opened)
    const chief = issuer.token(resource, { groups: ['chiefs'] })
    const before = given(await ask(chief))
    expect(before.roles).toEqual(['admin', 'reader'])
    const other = another(await openAgain(opened))
    given(await other.authenticateAccessToken(chief, resource))
    advance(2)
    expect(given(await ask(issuer.token(resource, { groups: [] }))).roles).toEqual([])
    expect(reasonOf(await ask(chief))).toBe('superseded')
    // WHY: on PostgreSQL the announcement takes its way over a connection; the promise is a second.
    await expect.poll(async () => reasonOf(await other.authenticateAccessToken(chief, resource))).toBe('superseded')
    expect(await other.stillValid(before)).toBe(false)
    advance(2)
    expect(given(await ask(issuer.token(resource, { groups: ['chiefs'] }))).roles).toEqual(['admin', 'reader'])
  })

  test('another client that is told less of a person takes nothing from this one', async () => {
    const { ask, issuer, advance } = await stage(await open())
    const token = issuer.token(resource)
    given(await ask(token))
    advance(2)
    expect(given(await ask(issuer.token(resource, { client_id: 'app-2', groups: undefined }))).roles).toEqual([])
    expect(given(await ask(token)).roles).toEqual(['reader'])
  })

  test('many first requests at once enter one person', async () => {
    const { ask, issuer, entries, another } = await stage(await open())
    const nodes = [ask, (token: string) => another().authenticateAccessToken(token, resource)]
    const tokens = Array.from({ length: 8 }, (_, at) => issuer.token(resource, { jti: `t-${at}` }))
    const answers = await Promise.all(tokens.flatMap((token) => nodes.map((node) => node(token))))
    expect(new Set(answers.map((answer) => given(answer).id)).size).toBe(1)
    expect((await entries()).filter(({ event }) => event === 'person.recognised')).toHaveLength(1)
  })

  test('two issuers never share a person, whatever they call them', async () => {
    const database = await open()
    const [one, two] = [await stage(database), await startIssuer()]
    onTestFinished(() => two.close())
    const now = Math.floor(one.clock.now() / 1_000)
    const both = { issuers: [settingsOf(one.issuer.issuer), settingsOf(two.issuer)] }
    const world = await identityWorld(database, both)
    const times = { iat: now, nbf: now, exp: now + 600 }
    const ids = await Promise.all(
      [one.issuer, two].map(async (issuer) => {
        const answer = await world.identity.authenticateAccessToken(issuer.token(resource, times), resource)
        return given(answer).id
      }),
    )
    expect(new Set(ids).size).toBe(2)
  })
})

const sqlite = async (more?: Partial<IssuerSettings>) => {
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  return stage(database, more)
}

test('a token is good for its own resource alone, written exactly so', async () => {
  const { ask, issuer } = await sqlite()
  for (const aud of [`${resource}/`, resource.toUpperCase(), resource.slice(0, -1), [resource, resource], []]) {
    expect(refusalOf(await ask(issuer.token(resource, { aud })))).toBe('identity.token-invalid')
  }
  expect(reasonOf(await ask(issuer.token(resource), 'https://gate.example.com/mcp'))).toBe('wrong-resource')
  expect(reasonOf(await ask(issuer.token(resource, { aud: [resource] })))).toBe('accepted')
})

test('an audience that stands for a path is good for that path alone', async () => {
  const { ask, issuer } = await sqlite({ audiences: { 'api://books': '/servers/books/mcp' } })
  const token = issuer.token('api://books')
  expect(reasonOf(await ask(token))).toBe('accepted')
  expect(reasonOf(await ask(token, 'https://gate.example.com/mcp'))).toBe('wrong-resource')
  expect(reasonOf(await ask(issuer.token('api://other')))).toBe('wrong-resource')
})

test('a token ends with its time and the skew, to the millisecond, also when it was accepted before', async () => {
  const { ask, issuer, clock } = await sqlite()
  const token = issuer.token(resource)
  given(await ask(token))
  clock.advance(600_000 + 30_000 - 1)
  expect(reasonOf(await ask(token))).toBe('accepted')
  clock.advance(1)
  expect(refusalOf(await ask(token))).toBe('identity.token-expired')
})

test('a token that is not for this moment yet is taken when the skew allows it, and not a millisecond before', async () => {
  const { ask, issuer, clock } = await sqlite()
  const later = Math.floor(clock.now() / 1_000) + 100
  for (const claim of ['nbf', 'iat']) {
    const token = issuer.token(resource, { [claim]: later })
    expect(refusalOf(await ask(token))).toBe('identity.token-invalid')
  }
  const tokens = ['nbf', 'iat'].map((claim) => issuer.token(resource, { [claim]: later }))
  clock.advance(70_000 - 1)
  for (const token of tokens) expect(refusalOf(await ask(token))).toBe('identity.token-invalid')
  clock.advance(1)
  for (const token of tokens) expect(reasonOf(await ask(token))).toBe('accepted')
})

test('a token of long ago is worth nothing, however late it ends', async () => {
  const { ask, issuer, clock } = await sqlite({ tokenMaxAgeSeconds: 3_600 })
  const token = issuer.token(resource, { exp: 4_000_000_000 })
  given(await ask(token))
  clock.advance(3_600_000 + 30_000 - 1)
  expect(reasonOf(await ask(token))).toBe('accepted')
  clock.advance(1)
  expect(reasonOf(await ask(token))).toBe('too-old')
})

test('where a second factor is required, a token that shows none is refused, and the sign-in may not be too old', async () => {
  const { ask, issuer, clock } = await sqlite({
    requireMfa: true,
    mfa: { amr: ['mfa'], acr: ['urn:strong'] },
    signInMaxAgeSeconds: 600,
  })
  const now = Math.floor(clock.now() / 1_000)
  const weak = [{}, { amr: ['pwd'] }, { amr: 'MFA' }, { acr: 'urn:strong ' }, { acr: ['urn:strong'] }]
  for (const claims of weak) {
    const answer = await ask(issuer.token(resource, { auth_time: now, ...claims }))
    expect([refusalOf(answer), reasonOf(answer as Refusal)]).toEqual(['identity.sign-in-too-weak', 'no-second-factor'])
  }
  for (const auth_time of [undefined, `${now}`, now - 630, now + 31, null]) {
    expect(reasonOf(await ask(issuer.token(resource, { amr: ['mfa'], auth_time })))).toBe('sign-in-too-old')
  }
  const token = issuer.token(resource, { acr: 'urn:strong', auth_time: now })
  expect(given(await ask(token)).factors).toContain('identity-provider-mfa')
  clock.advance(630_000)
  expect(refusalOf(await ask(token))).toMatch(/^identity\.(sign-in-too-weak|token-expired)$/)
})

test('scopes that are configured stand for the scope of MCP, and nothing else does', async () => {
  const { ask, issuer } = await sqlite({ scopes: ['api/read', 'api/call'] })
  const scopesOf = async (scope: unknown) => given(await ask(issuer.token(resource, { scope }))).client?.scopes
  expect(await scopesOf('api/call api/read')).toContain('mcp')
  expect(await scopesOf('api/read mcp')).not.toContain('mcp')
  expect(await scopesOf(undefined)).toEqual([])
})

async function verifications(issuer: TestIssuer, run: () => Promise<unknown>): Promise<number> {
  const before = issuer.asked.keys
  await run()
  return issuer.asked.keys - before
}

test('a flood of invented keys asks the issuer once in a while, and a new key is found', async () => {
  const { ask, issuer, clock } = await sqlite()
  given(await ask(issuer.token(resource)))
  clock.advance(pauseMs)
  const flood = Array.from({ length: 500 }, (_, at) => issuer.token(resource, {}, { kid: `invented-${at}` }))
  expect(await verifications(issuer, () => Promise.all(flood.map((token) => ask(token))))).toBe(1)
  expect(await verifications(issuer, () => Promise.all(flood.map((token) => ask(token))))).toBe(0)
  issuer.keys = [createKey('RS256', 'k-2'), ...issuer.keys]
  expect(reasonOf(await ask(issuer.token(resource)))).toBe('unknown-key')
  clock.advance(pauseMs)
  expect(reasonOf(await ask(issuer.token(resource)))).toBe('accepted')
})

test('a key that is withdrawn ends its tokens and streams as soon as the keys are fetched again', async () => {
  const { ask, issuer, clock, identity } = await sqlite()
  const token = issuer.token(resource)
  const principal = given(await ask(token))
  const epoch = identity.epoch()
  issuer.keys = [createKey('ES256', 'k-1')]
  clock.advance(300_000)
  const answers: unknown[] = []
  for (let tries = 0; tries < 50 && answers.at(-1) !== 'wrong-signature'; tries++) {
    answers.push(reasonOf(await ask(token)))
    await new Promise((later) => setTimeout(later, 10))
  }
  expect(answers.at(-1)).toBe('wrong-signature')
  expect(identity.epoch()).toBeGreaterThan(epoch)
  expect(await identity.stillValid(principal)).toBe(false)
})

test('keys are used while the issuer is down, as long as is configured, and then nothing passes', async () => {
  const { ask, issuer, clock } = await sqlite()
  const claims = { exp: Math.floor(clock.now() / 1_000) + 86_400 }
  const token = issuer.token(resource, claims)
  given(await ask(token))
  issuer.isDown = true
  clock.advance((300 + 3_600) * 1_000 - 1)
  expect(reasonOf(await ask(token))).toBe('accepted')
  clock.advance(1)
  expect(refusalOf(await ask(token))).toBe('identity.issuer-unreachable')
  issuer.isDown = false
  clock.advance(pauseMs)
  expect(reasonOf(await ask(token))).toBe('accepted')
})

test('other settings end what was verified under those before', async () => {
  const { issuer, clock, ledger, database } = await sqlite()
  const { createIdentity } = await import('../create-identity.ts')
  const { identitySettings, places } = await import('../../../test/world/identity.ts')
  const settings = { ...identitySettings, issuers: [settingsOf(issuer.issuer)] }
  const sealer = { seal: () => '', open: () => undefined }
  const identity = createIdentity({
    database,
    ledger,
    clock,
    sealer: sealer as never,
    settings,
    places,
    remedies: {} as never,
  })
  const token = issuer.token(resource)
  const principal = given(await identity.authenticateAccessToken(token, resource))
  const epoch = identity.epoch()
  Object.assign(settings, { issuers: [settingsOf(issuer.issuer, { roles: { staff: ['writer'] } })] })
  expect(identity.epoch()).toBeGreaterThan(epoch)
  expect(await identity.stillValid(principal)).toBe(false)
  expect(given(await identity.authenticateAccessToken(token, resource)).roles).toEqual(['writer'])
  Object.assign(settings, { issuers: [] })
  expect(refusalOf(await identity.authenticateAccessToken(token, resource))).toBe('identity.token-invalid')
})

test('metadata that is not of this issuer, or leads elsewhere, is not followed', async () => {
  const elsewhere = await startIssuer()
  onTestFinished(() => elsewhere.close())
  const foreign: [Record<string, unknown>, RegExp][] = [
    [{ issuer: 'https://other.example' }, /another issuer/],
    [{ jwks_uri: `${elsewhere.issuer}/keys` }, /at another host/],
    [{ jwks_uri: 'file:///etc/passwd' }, /not at HTTPS/],
    [{ jwks_uri: undefined }, /names no keys/],
  ]
  for (const [metadata, cause] of foreign) {
    const { ask, issuer } = await sqlite()
    elsewhere.keys = issuer.keys
    issuer.metadata = metadata
    const answer = (await ask(issuer.token(resource))) as Refusal
    expect(refusalOf(answer)).toBe('identity.issuer-unreachable')
    expect(answer.detail['cause']).toMatch(cause)
  }
  expect(elsewhere.asked).toEqual({ metadata: 0, keys: 0 })
  const { ask, issuer } = await sqlite({ endpointHosts: [new URL(elsewhere.issuer).host] })
  elsewhere.keys = issuer.keys
  issuer.metadata = { jwks_uri: `${elsewhere.issuer}/keys` }
  expect(reasonOf(await ask(issuer.token(resource)))).toBe('accepted')
})
