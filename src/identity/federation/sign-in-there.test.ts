import { expect, test } from 'vitest'
import { startWorld, type World } from '../../../test/world/castellan.ts'
import {
  type IdentityProviderOptions,
  type ProviderAccount,
  startIdentityProvider,
  trustAuthority,
} from '../../../test/world/identity-provider/start-identity-provider.ts'
import { addRequest } from '../../../test/world/identity-provider/lying-provider.ts'
import { createVisitor, logInThere, type Visited, type Visitor } from '../../../test/world/identity-provider/visitor.ts'
import { makeAuthority } from '../../../test/world/wire/tls.ts'
import { oneTimeCode } from '../../../test/world/one-time-code.ts'

const bea: ProviderAccount = {
  subject: 'subject-of-bea',
  login: 'bea',
  password: 'a password at the provider',
  claims: { name: 'Bea B.', preferred_username: 'Bea', groups: ['librarians', 'staff'] },
  amr: ['pwd', 'mfa'],
}
const settings = {
  scopes: ['openid', 'profile', 'groups'],
  roles: { librarians: ['books-reader'], staff: ['viewer'], 'books-reader': ['admin'] },
}

async function open(more: Partial<IdentityProviderOptions> = {}, rules: object = {}, database?: 'sqlite' | 'postgres') {
  const world = await startWorld(database === undefined ? {} : { database })
  const provider = await startIdentityProvider({ site: world.gatewayUrl, name: 'works', accounts: [bea], ...more })
  const request = { ...addRequest(provider, 'works', { ...settings, ...rules }), title: 'The Works' }
  const { status, body } = await world.ana.api('POST', '/providers', request)
  expect(status, JSON.stringify(body)).toBe(201)
  return { world, provider }
}

async function signIn(world: World, account: ProviderAccount, visitor: Visitor = createVisitor()): Promise<Visited> {
  const started = await visitor.get(`${world.gatewayUrl}/sso/works/start?next=/account`)
  const back = await logInThere(visitor, started, account)
  return visitor.get(back.location ?? '')
}

async function beaHere(world: World): Promise<Record<string, unknown>> {
  const { body } = await world.ana.api('GET', '/people/bea')
  return (body['person'] ?? body) as Record<string, unknown>
}

test.each(['sqlite', 'postgres'] as const)(
  'the first sign-in makes a person with the roles of their groups, and each later one brings them up to date (%s)',
  { timeout: 60_000 },
  async (database) => {
    const { world, provider } = await open({}, {}, database)
    const visitor = createVisitor({ 'user-agent': 'a browser' })
    const done = await signIn(world, bea, visitor)
    expect([done.status, done.location]).toEqual([303, `${world.gatewayUrl}/account`])
    expect(await beaHere(world)).toMatchObject({
      name: 'bea',
      displayName: 'Bea B.',
      roles: ['books-reader', 'viewer'],
    })
    expect((await visitor.get(`${world.gatewayUrl}/account`)).text).toContain('bea')
    const events = (await world.ledger()).slice(-2)
    expect(events.map(({ event }) => event)).toEqual(['person.provisioned', 'session.started'])
    expect(events[1]?.details).toMatchObject({
      provider: 'works',
      subject: bea.subject,
      factors: ['identity-provider', 'identity-provider-mfa'],
    })

    const byHand = { role: 'analyst' }
    const person = await beaHere(world)
    expect((await world.ana.api('PUT', `/people/${String(person['id'])}/roles/${byHand.role}`)).status).toBeLessThan(
      300,
    )
    await world.ana.api('PUT', `/people/${String(person['id'])}/roles/viewer`)
    await provider.setAccounts([{ ...bea, claims: { ...bea.claims, groups: ['strangers'] } }])
    expect((await signIn(world, bea)).status).toBe(303)
    expect((await beaHere(world))['roles']).toEqual(['analyst', 'viewer'])
    expect((await world.ledger('&event=person.roles-mapped')).at(-1)?.details).toMatchObject({
      removed: ['books-reader'],
    })
  },
)

test(
  'a provider over TLS is believed by its certificate, and its claims are read from the ID token, too',
  { timeout: 60_000 },
  async () => {
    const authority = await makeAuthority()
    const leaf = await authority.issue()
    trustAuthority(authority)
    const { world } = await open({ tls: leaf, isConforming: false })
    expect((await signIn(world, bea)).status).toBe(303)
    expect((await beaHere(world))['roles']).toEqual(['books-reader', 'viewer'])
  },
)

test(
  'where nobody is made by signing in, only an account that an admin has linked comes in',
  { timeout: 60_000 },
  async () => {
    const { world } = await open({}, { provision: 'linked' })
    const ben = await world.join('bea', ['viewer'])
    const stranger = await signIn(world, bea)
    expect(stranger.status).toBe(403)
    expect(stranger.text).toContain('nobody here is linked'.slice(1))
    const link = { person: 'bea', subject: bea.subject }
    expect((await world.ana.api('POST', '/providers/works/links', link)).status).toBe(201)
    const visitor = createVisitor()
    expect((await signIn(world, bea, visitor)).status).toBe(303)
    expect((await world.ledger()).at(-1)).toMatchObject({ event: 'session.started', principal: { name: 'bea' } })
    expect(ben.name).toBe('bea')

    const gone = await world.ana.api('DELETE', `/providers/works/links/${bea.subject}`)
    expect(gone.body).toEqual({ endedSessions: 1 })
    expect((await visitor.get(`${world.gatewayUrl}/account`)).location).toContain('/sign-in')
  },
)

test(
  'whoever the provider shows no second factor of proves their own, once, or stays out',
  { timeout: 60_000 },
  async () => {
    const { amr: _, ...weak } = bea
    const { world } = await open({ accounts: [weak] }, { provision: 'linked' })
    const person = await world.join('bea', [])
    await world.ana.api('POST', '/providers/works/links', { person: 'bea', subject: bea.subject })
    const visitor = createVisitor()
    const asked = await signIn(world, weak, visitor)
    expect(asked.location).toContain('/sso/works/second-factor?step=')
    const page = await visitor.follow(asked)
    const send = (code: string) =>
      visitor.post(`${world.gatewayUrl}/sso/works/second-factor`, {
        form: page.hidden('form'),
        step: page.hidden('step'),
        code,
      })
    expect((await send('000000')).status).toBe(401)
    const code = person.nextCode()
    expect((await createVisitor().get(page.url)).status).toBe(403)
    const [one, other] = await Promise.all([send(code), send(code)])
    expect([one.status, other.status].toSorted()).toEqual([303, 401])
    expect((await send(oneTimeCode(person.secret, world.clock.now() + 30_000))).status).toBe(403)
    const started = (await world.ledger('&event=session.started')).at(-1)
    expect(started?.details?.['factors']).toEqual(['totp', 'identity-provider'])
  },
)

test(
  'a person is known by issuer and subject after the provider was removed and added again',
  { timeout: 60_000 },
  async () => {
    const { world, provider } = await open()
    const visitor = createVisitor()
    await signIn(world, bea, visitor)
    const first = await beaHere(world)
    expect((await world.ana.api('DELETE', '/providers/works')).body).toEqual({ endedSessions: 1 })
    expect((await beaHere(world))['roles']).toEqual([])
    expect((await visitor.get(`${world.gatewayUrl}/account`)).location).toContain('/sign-in')
    expect((await visitor.get(`${world.gatewayUrl}/sso/works/start`)).status).toBe(404)
    await world.ana.api('POST', '/providers', addRequest(provider, 'works', settings))
    expect((await signIn(world, bea)).status).toBe(303)
    expect((await beaHere(world))['id']).toBe(first['id'])
  },
)
