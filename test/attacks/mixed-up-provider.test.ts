/**
 * One of two providers is Mallory's. She answers in the other one's name, passes its codes on to hers, and gives her
 * accounts the subjects, names and e-mail addresses of people who are known by the other, or by a password.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startLyingWorld } from '../world/identity-provider/lying-world.ts'
import { createVisitor } from '../world/identity-provider/visitor.ts'

proves(
  'FED-2',
  'an answer that another issuer gave, or none names, is not taken to the one that was asked',
  async () => {
    const { provider, begin, addProvider, who, lastRefused, world } = await startLyingWorld()
    const mallory = await addProvider('mallory')
    const wrong = [
      (started: string) => provider.back(started, { iss: mallory.issuer }),
      (started: string) => provider.back(started, { iss: `${provider.issuer}/` }),
      (started: string) => provider.back(started).replace(/&iss=[^&]*/, ''),
      (started: string) => `${provider.back(started)}&iss=${encodeURIComponent(mallory.issuer)}`,
      (started: string) => `${provider.back(started)}&code=second`,
    ]
    for (const answerOf of wrong) {
      const visitor = createVisitor()
      const answer = answerOf((await begin(visitor)).location ?? '')
      expect((await visitor.get(answer)).status).toBe(403)
      expect(await who(visitor)).toBeUndefined()
      expect(await lastRefused()).toMatchObject({ refusal: 'identity.provider-sign-in-refused' })
    }
    const visitor = createVisitor()
    const started = (await begin(visitor)).location ?? ''
    const moved = provider.back(started).replace('/sso/lies/', '/sso/mallory/')
    expect((await visitor.get(moved)).status).toBe(403)
    expect((await lastRefused())?.refusal).toBe('identity.attempt-unknown')
    expect([...provider.asked, ...mallory.asked].filter(({ path }) => path === '/token')).toEqual([])
    expect(await world.ledger('&event=session.started')).toHaveLength(1)
  },
)

proves(
  'FED-4',
  'an equal subject, name or e-mail address at another provider is another person',
  async () => {
    const { provider, begin, addProvider, world } = await startLyingWorld()
    const mallory = await addProvider('mallory', { roles: { x: ['viewer'] } })
    const claims = { preferred_username: 'Ana', email: 'ana@castle.test', email_verified: true, name: 'ana' }
    provider.says.idToken = claims
    mallory.says.idToken = claims
    for (const [name, at] of [
      ['lies', provider],
      ['mallory', mallory],
    ] as const) {
      const visitor = createVisitor()
      const started = await begin(visitor, '/account', name)
      expect((await visitor.get(at.back(started.location))).status).toBe(303)
    }
    const started = (await world.ledger('&event=session.started')).slice(-2)
    expect(started.map(({ principal }) => principal?.name)).toEqual(['ana-2', 'ana-3'])
    const people = (await world.ana.api('GET', '/people')).body['items'] as { name: string; roles: string[] }[]
    expect(people.map(({ name, roles }) => [name, roles])).toEqual([
      ['ana', ['admin']],
      ['ana-2', []],
      ['ana-3', []],
    ])
  },
  60_000,
)

proves(
  'FED-4',
  'no name at a provider becomes the name of Castellan itself, or one that cannot be a name',
  async () => {
    const { provider, signIn, world } = await startLyingWorld()
    const said = ['castellan', '../../etc', 'ａｎａ', '', 'x'.repeat(300), 'a\u202eb', 7]
    for (const [at, name] of said.entries()) {
      provider.says.idToken = { sub: `Subject ${at}`, preferred_username: name, name: 'a\nb' }
      expect((await signIn()).status).toBe(303)
    }
    const people = (await world.ana.api('GET', '/people')).body['items'] as { name: string; displayName: string }[]
    for (const { name, displayName } of people) {
      expect(name).toMatch(/^[a-z0-9][a-z0-9._-]{0,63}$/)
      expect(displayName).not.toContain('\n')
    }
    expect(people.map(({ name }) => name)).toEqual(expect.arrayContaining(['ana', 'ana-2', 'castellan-2']))
    expect(people.map(({ name }) => name)).not.toContain('castellan')
  },
)

proves(
  'FED-4',
  'two first sign-ins of one account at the same moment are one person',
  async () => {
    const { signIn, world } = await startLyingWorld()
    const answers = await Promise.all([signIn(), signIn(), signIn()])
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303])
    const started = (await world.ledger('&event=session.started')).slice(-3)
    expect(new Set(started.map(({ principal }) => principal?.id)).size).toBe(1)
    expect(await world.ledger('&event=person.provisioned')).toHaveLength(1)
  },
  60_000,
)
