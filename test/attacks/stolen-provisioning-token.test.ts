/**
 * A thief has the token of a directory, or a token that is none. They try to reach people of others and administrators, to
 * give roles, to write filters that become queries, to send too much, and to read what others sent.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { addDirectory, schemas, sendScim } from '../world/identity-provider/directory.ts'
import { callTool } from '../world/messages.ts'

proves(
  ['PRV-1', 'PRV-2'],
  'a stolen provisioning token reaches neither administrators nor people of others',
  async () => {
    const world = await startWorld()
    const thief = await addDirectory(world, 'thief')
    const okta = await addDirectory(world, 'okta')
    const mallory = await thief.makeUser('mallory@example.com')
    const other = await okta.makeUser('other@example.com')
    const secret = await okta.makeGroup('Secret plans', [other])
    const ana = String((await world.ana.api('GET', '/people/ana')).body['id'])
    const token = await world.ana.mint('books')
    const off = [{ op: 'replace', path: 'active', value: false }]

    const answers = new Set<string>()
    for (const id of [ana, other, secret, '00000000-0000-7000-8000-000000000000']) {
      for (const kind of ['Users', 'Groups']) {
        const path = `/${kind}/${id}`
        const tried = [
          await thief.send('GET', path),
          await thief.patch(path, kind === 'Users' ? off : [{ op: 'remove', path: 'members' }]),
          await thief.send('PUT', path, { body: { userName: 'x@example.com', displayName: 'x' } }),
          await thief.send('DELETE', path),
        ]
        for (const { status, text } of tried) answers.add(`${status} ${text}`)
      }
    }
    expect([...answers]).toHaveLength(1)
    expect([...answers][0]).toMatch(/^404 /)
    expect((await thief.send('GET', '/Users')).body).toMatchObject({ totalResults: 1, Resources: [{ id: mallory }] })
    expect((await thief.send('GET', '/Groups')).body).toMatchObject({ totalResults: 0 })
    for (const userName of ['ana', 'ANA', 'ana@example.com', 'other@example.com', 'castellan']) {
      const taken = await thief.send('POST', '/Users', { body: { schemas: [schemas.user], userName } })
      expect([taken.status, taken.body['scimType']]).toEqual([409, 'uniqueness'])
    }
    const group = await thief.makeGroup('Admins', [mallory])
    await thief.patch(`/Users/${mallory}`, [{ op: 'add', path: 'roles', value: [{ value: 'admin', primary: true }] }])
    await thief.patch(`/Groups/${group}`, [{ op: 'replace', path: 'displayName', value: 'admin' }])
    expect((await world.ana.api('GET', '/people/mallory')).body['roles']).toEqual([])

    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    const refused = await entriesOf(world, 'event=scim.refused', 37)
    expect(refused.every(({ principal }) => principal?.id === 'scim:thief')).toBe(true)
    expect(new Set(refused.map(({ refusal }) => refusal))).toEqual(
      new Set(['scim.resource-unknown', 'scim.user-name-taken']),
    )
  },
  90_000,
)

proves(
  ['PRV-1', 'AUT-2', 'AUT-3'],
  'only the token of a connection opens the endpoint, until it is rotated or ends',
  async () => {
    const world = await startWorld()
    const entra = await addDirectory(world, 'entra')
    const id = await entra.makeUser('bea@example.com')
    const body = { schemas: [schemas.user], userName: 'planted@example.com', title: 'a title that nobody may read' }
    const ben = await world.join('ben', [reader])
    const wrong = [
      undefined,
      'csp_',
      `csp_${'A'.repeat(43)}`,
      entra.token.slice(0, -1),
      ben.sessionToken(),
      world.ana.sessionToken(),
      await world.ana.mint('books'),
    ]
    for (const token of wrong) {
      const tried = await sendScim(world.gatewayUrl, token, { method: 'POST', path: '/Users', body })
      expect([401, 403]).toContain(tried.status)
      expect(tried.headers.get('www-authenticate')).toMatch(/^Bearer /)
      expect(tried.body['schemas']).toEqual([schemas.error])
      expect(tried.text).not.toContain('title that')
    }
    expect((await world.post({ token: entra.token, message: callTool('echo') })).status).toBe(401)
    const asPerson = await fetch(`${world.adminUrl}/api/v1/people`, {
      headers: { authorization: `Bearer ${entra.token}` },
    })
    expect(asPerson.status).toBe(401)

    const rotated = await world.ana.api('POST', '/scim-connections/entra/rotate', { ttlSeconds: 86_400 })
    const fresh = String(rotated.body['token'])
    expect((await entra.send('GET', `/Users/${id}`)).status).toBe(401)
    expect((await entra.send('GET', `/Users/${id}`, { token: fresh })).status).toBe(200)
    world.clock.advance(86_400_000 - 1)
    expect((await entra.send('GET', `/Users/${id}`, { token: fresh })).status).toBe(200)
    world.clock.advance(1)
    expect((await entra.send('GET', `/Users/${id}`, { token: fresh })).status).toBe(401)

    await world.ana.signIn()
    expect(world.books.calls('tools/call')).toHaveLength(0)
    const entries = JSON.stringify([...(await world.ledger()), ...world.logLines])
    for (const text of [fresh, entra.token, 'title that', 'planted@']) expect(entries).not.toContain(text)
    expect((await entriesOf(world, 'event=scim.refused', 9)).map(({ refusal }) => refusal)).toEqual([
      ...Array(9).fill('scim.token-invalid'),
    ])
    const people = (await world.ana.api('GET', '/people')).body['items'] as { name: string }[]
    expect(people.map(({ name }) => name)).toEqual(['ana', 'bea', 'ben'])
  },
  90_000,
)

proves(
  ['PRV-3', 'MSG-2'],
  'no filter, path or body of a directory becomes a query, a property or a load',
  async () => {
    const world = await startWorld()
    const entra = await addDirectory(world, 'entra')
    const okta = await addDirectory(world, 'okta')
    const id = await entra.makeUser('bea@example.com')
    await okta.makeUser('other@example.com')
    const found = async (filter: string) => {
      const { status, body, text } = await entra.send('GET', `/Users?filter=${encodeURIComponent(filter)}`)
      expect(text).not.toMatch(/other@|sqlite|syntax error|select /i)
      return status === 200 ? body['totalResults'] : body['scimType']
    }
    expect(await found(`userName eq "x' or '1'='1"`)).toBe(0)
    expect(await found(`userName eq "bea@example.com' --"`)).toBe(0)
    expect(await found(`userName sw "%"`)).toBe(0)
    expect(await found(`userName co "_"`)).toBe(0)
    expect(await found(`not (userName eq "nobody")`)).toBe(1)
    expect(await found(`connection eq "okta" or connection ne "okta"`)).toBe('invalidFilter')
    expect(await found(`told.connection eq "okta"`)).toBe('invalidFilter')
    expect(await found(`password_hash pr`)).toBe('invalidFilter')
    expect(await found(`emails[person_id pr]`)).toBe('invalidFilter')
    expect(await found(`userName eq "x"); drop table people; --`)).toBe('invalidFilter')
    expect(await found(`${'('.repeat(900)}active eq true${')'.repeat(900)}`)).toBe('invalidFilter')
    expect(await found(`${'not '.repeat(400)}active eq true`)).toBe('invalidFilter')

    const startedAt = Date.now()
    for (const path of [
      '__proto__.isAdmin',
      'constructor.prototype.isAdmin',
      'name.__proto__.isAdmin',
      'emails[type eq "work"].__proto__',
      `emails[type eq "${'a.'.repeat(200)}"].value`,
      `${'name.'.repeat(90)}x`,
      'id',
      'meta.version',
      'groups',
    ]) {
      const tried = await entra.patch(`/Users/${id}`, [{ op: 'add', path, value: 'yes' }])
      expect([path, tried.status === 200 || tried.body['scimType'] === 'invalidPath']).toEqual([path, true])
    }
    expect(Date.now() - startedAt).toBeLessThan(2_000)
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
    const pathless = [
      { op: 'add', value: { 'constructor.prototype.isAdmin': true, id: 'other', groups: [{ value: 'x' }] } },
    ]
    expect((await entra.patch(`/Users/${id}`, pathless)).body).toMatchObject({ id })
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
    const big = `{"schemas":[],"userName":"${'x'.repeat(2_000_000)}"}`
    const over = await entra.send('POST', '/Users', { body: big })
    expect([over.status, over.body['schemas']]).toEqual([413, [schemas.error]])
    expect(over.text.length).toBeLessThan(1_000)
    const deep = `{"userName":"d@example.com","name":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`
    expect((await entra.send('POST', '/Users', { body: deep })).status).toBe(400)
    expect((await entra.send('GET', '/Users')).body).toMatchObject({ totalResults: 1 })
    expect(world.books.calls('tools/call')).toHaveLength(0)
    const events = (await world.ledger('&event=scim.refused')).map(({ refusal }) => refusal)
    expect(events).toContain('scim.filter-invalid')
    expect(events).toContain('scim.body-too-large')
  },
  90_000,
)
