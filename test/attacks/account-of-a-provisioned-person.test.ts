/**
 * An account at a provider is to become a person that a directory made: by a claim that anybody can write there, by an
 * externalId that a thief of the directory's token wrote here, or after the person was taken away.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { addDirectory } from '../world/identity-provider/directory.ts'
import { type LyingWorld, startLyingWorld } from '../world/identity-provider/lying-world.ts'
import { createVisitor } from '../world/identity-provider/visitor.ts'

type Says = Record<string, unknown>

/** A sign-in of the account that the provider tells of; who is signed in by it, or why nobody is. */
async function signInAs(lies: LyingWorld, idToken: Says): Promise<string> {
  lies.provider.says.idToken = { preferred_username: 'somebody', ...idToken }
  const visitor = createVisitor()
  const before = (await lies.world.ledger('&event=sign-in.refused')).length
  await lies.signIn(visitor)
  const refused = await lies.world.ledger('&event=sign-in.refused')
  if (refused.length > before) return `refused: ${String(refused.at(-1)?.details?.['reason'])}`
  const started = (await lies.world.ledger('&event=session.started')).at(-1)
  return started?.principal?.name ?? 'nobody'
}

proves(
  'PRV-5',
  'a person whom the directory made comes in with their account, linked once by externalId',
  async () => {
    const lies = await startLyingWorld({ provision: 'linked' })
    const { world } = lies
    const entra = await addDirectory(world, 'entra', { provider: 'lies', linkBy: 'sub' })
    const id = await entra.makeUser('bea@example.com', { externalId: 'sub-of-bea' })
    expect(
      await signInAs(lies, {
        sub: 'sub-of-mallory',
        oid: 'sub-of-bea',
        email: 'bea@example.com',
        email_verified: true,
      }),
    ).toBe('refused: not-linked')
    expect(await signInAs(lies, { sub: 'sub-of-bea' })).toBe('bea')
    const [linked] = await world.ledger('&event=scim.person-linked')
    expect(linked).toMatchObject({
      principal: { id },
      details: { connection: 'entra', subject: 'sub-of-bea', provider: 'lies' },
    })
    await entra.patch(`/Users/${id}`, [{ op: 'replace', path: 'externalId', value: 'sub-of-mallory' }])
    expect(await signInAs(lies, { sub: 'sub-of-mallory' })).toBe('refused: linked to another account')
    expect(await signInAs(lies, { sub: 'sub-of-bea' })).toBe('bea')
    await entra.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])
    expect(await signInAs(lies, { sub: 'sub-of-bea' })).toBe('refused: suspended')
    const cyd = await entra.makeUser('cyd@example.com', { externalId: 'sub-of-cyd', active: false })
    expect(await signInAs(lies, { sub: 'sub-of-cyd' })).toBe('refused: suspended')
    await entra.patch(`/Users/${cyd}`, [{ op: 'replace', path: 'active', value: true }])
    expect(await signInAs(lies, { sub: 'sub-of-cyd' })).toBe('cyd')
  },
  90_000,
)

proves(
  'PRV-5',
  'the claim `oid` links by externalId, an address by userName and only where the provider made sure of it',
  async () => {
    const lies = await startLyingWorld({ provision: 'linked' })
    const { world } = lies
    const entra = await addDirectory(world, 'entra', { provider: 'lies', linkBy: 'oid' })
    await entra.makeUser('ann@example.com', { externalId: 'object-1' })
    expect(await signInAs(lies, { sub: 'pairwise-1', oid: 'object-1' })).toBe('ann')
    await world.ana.api('DELETE', '/scim-connections/entra')

    const google = await addDirectory(world, 'google', { provider: 'lies', linkBy: 'email' })
    await google.makeUser('bob@example.com')
    expect(await signInAs(lies, { sub: '2', email: 'bob@example.com' })).toBe('refused: not-linked')
    expect(await signInAs(lies, { sub: '2', email: 'bob@example.com', email_verified: 'true' })).toBe(
      'refused: not-linked',
    )
    lies.provider.says.userInfo = { email: 'bob@example.com', email_verified: true }
    expect(await signInAs(lies, { sub: '2' })).toBe('refused: not-linked')
    expect(await signInAs(lies, { sub: '2', email: 'BOB@example.com', email_verified: true })).toBe('bob')
    expect(await signInAs(lies, { sub: '3', email: 'bob@example.com', email_verified: true })).toBe(
      'refused: linked to another account',
    )
    await world.ana.api('DELETE', '/providers/lies')
    const [connection] = (await world.ana.api('GET', '/scim-connections')).body['items'] as { provider: unknown }[]
    expect(connection?.provider).toBeNull()
  },
  90_000,
)

proves(
  'PRV-5',
  'nobody is led to an administrator, to a person who was here before, or to whom the directory took away',
  async () => {
    const lies = await startLyingWorld()
    const { world } = lies
    const entra = await addDirectory(world, 'entra', { provider: 'lies' })
    await world.join('ben', ['viewer'])
    expect((await world.ana.api('POST', '/scim-connections/entra/people', { person: 'ana' })).body).toMatchObject({
      code: 'scim.adoption-refused',
    })
    const adopted = await world.ana.api('POST', '/scim-connections/entra/people', {
      person: 'ben',
      userName: 'ben@example.com',
    })
    expect(adopted.status).toBe(201)
    const ben = String(adopted.body['personId'])
    await entra.patch(`/Users/${ben}`, [{ op: 'add', path: 'externalId', value: 'sub-1' }])
    expect(await signInAs(lies, { sub: 'sub-1' })).toBe('refused: was here before the directory')
    const cyd = await entra.makeUser('cyd@example.com', { externalId: 'sub-2' })
    await world.ana.api('PUT', '/people/cyd/roles/admin')
    expect(await signInAs(lies, { sub: 'sub-2' })).toBe('refused: administrator')
    await world.ana.api('DELETE', '/people/cyd/roles/admin')
    expect(await signInAs(lies, { sub: 'sub-2' })).toBe('cyd')
    await entra.send('DELETE', `/Users/${cyd}`)
    expect(await signInAs(lies, { sub: 'sub-2' })).toBe('refused: suspended')
    const dan = await entra.makeUser('dan@example.com', { externalId: 'sub-3' })
    await entra.send('DELETE', `/Users/${dan}`)
    expect(await signInAs(lies, { sub: 'sub-3' })).toBe('refused: taken away by the directory')
    await entra.makeUser('cyd@example.com', { externalId: 'sub-2' })
    expect(await signInAs(lies, { sub: 'sub-2' })).toBe('cyd-2')

    expect(await signInAs(lies, { sub: 'sub-9', preferred_username: 'eve' })).toBe('eve')
    const taken = await entra.send('POST', '/Users', { body: { userName: 'e.v.e@example.com', externalId: 'sub-9' } })
    expect([taken.status, taken.body['scimType']]).toEqual([409, 'uniqueness'])
    const handed = await world.ana.api('POST', '/scim-connections/entra/people', {
      person: 'eve',
      userName: 'e.v.e@example.com',
    })
    expect(handed.status).toBe(201)
    await entra.patch(`/Users/${String(handed.body['personId'])}`, [{ op: 'replace', path: 'active', value: 'false' }])
    expect(await signInAs(lies, { sub: 'sub-9' })).toBe('refused: suspended')
  },
  90_000,
)
