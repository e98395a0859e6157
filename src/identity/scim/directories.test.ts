import { expect, test } from 'vitest'
import { startWorld } from '../../../test/world/castellan.ts'
import { addDirectory, type Directory, schemas } from '../../../test/world/identity-provider/directory.ts'

const databases = ['sqlite', 'postgres'] as const
const users = '/Users'

async function ids(directory: Directory, filter: string, path = '/Users'): Promise<string[]> {
  const found = await directory.send('GET', `${path}?filter=${encodeURIComponent(filter)}`)
  expect(found.status, `${filter}: ${found.text}`).toBe(200)
  return (found.body['Resources'] as { id: string }[]).map(({ id }) => id)
}

interface Made {
  readonly ann: string
  readonly bob: string
  readonly cyd: string
  readonly since: string
}

/** Filters, and whom each finds. */
function casesOf({ ann, bob, cyd, since }: Made): readonly (readonly [string, readonly string[]])[] {
  return [
    ['userName eq "ANN@example.com"', [ann]],
    ['username EQ "bob@example.com"', [bob]],
    [`${schemas.user}:userName eq "çyd@EXAMPLE.com"`, [cyd]],
    ['externalId eq "E-1"', [ann]],
    ['externalId co "-"', [ann, cyd]],
    ['externalId co "E"', [ann]],
    [`id eq "${bob}"`, [bob]],
    ['displayName co "_100%"', [ann]],
    ['displayName sw "ann%"', []],
    ['displayName co "\'s"', [cyd]],
    ['userName ew "@example.com"', [ann, bob, cyd]],
    ['userName sw "b"', [bob]],
    ['userName ne "bob@example.com"', [ann, cyd]],
    ['displayName ne "nobody"', [ann, bob, cyd]],
    ['not (displayName co "Ash")', [bob, cyd]],
    ['displayName pr', [ann, cyd]],
    ['name.familyName eq "ash" and name.givenName sw "A"', [ann]],
    ['userName ge "b" and userName lt "c"', [bob]],
    ['active eq true', [ann, cyd]],
    ['active eq "False"', [bob]],
    ['active ne true', [bob]],
    ['emails eq "ann@home.example"', [ann]],
    ['emails.value ew "home.example"', [ann, bob]],
    ['emails.type eq "WORK"', [ann]],
    ['emails[type eq "work" and value co "home"]', []],
    ['emails[type eq "home" and value co "home"]', [ann]],
    ['emails[primary eq true]', [ann]],
    ['emails[type eq "work"].value eq "ann@home.example"', []],
    ['emails[type eq "work"].value eq "ann@example.com"', [ann]],
    ['not (emails pr)', [cyd]],
    ['emails.value ne "bob@home.example"', [ann, cyd]],
    [`meta.created gt "${since}"`, [bob, cyd]],
    [`meta.lastModified le "${since}" or userName eq "bob@example.com"`, [ann, bob]],
    ['(active eq true) and (userName eq "bob@example.com" or userName eq "ann@example.com")', [ann]],
  ]
}

const badFilters = [
  'nickName eq "x"',
  'password eq "x"',
  '__proto__ eq "x"',
  'constructor pr',
  'userName eq 5',
  'userName xx "a"',
  'userName',
  'userName eq "a" or',
  'active gt true',
  'active eq "maybe"',
  'meta.created gt "yesterday"',
  'meta.created co "2026-01-01T00:00:00Z"',
  'emails.ref eq "x"',
  'userName[type eq "x"]',
  'not not not active eq true',
]

test.each(databases)(
  'a search finds by every described attribute, in any case, and by all operators (%s)',
  async (database) => {
    const world = await startWorld({ database })
    const entra = await addDirectory(world)
    const ann = await entra.makeUser('ann@example.com', {
      externalId: 'E-1',
      displayName: 'Ann_100% Ash',
      name: { givenName: 'Ann', familyName: 'Ash' },
      emails: [
        { value: 'Ann@Example.com', type: 'work', primary: true },
        { value: 'ann@home.example', type: 'home' },
      ],
    })
    world.clock.advance(60_000)
    const bob = await entra.makeUser('bob@example.com', { active: false, emails: [{ value: 'bob@home.example' }] })
    world.clock.advance(1)
    const cyd = await entra.makeUser('ÇYD@example.com', { externalId: 'e-1', displayName: 'it\'s "so" \\ be' })
    const since = new Date(world.clock.now() - 30_000).toISOString()
    const cases = casesOf({ ann, bob, cyd, since })
    for (const [filter, expected] of cases) expect(await ids(entra, filter), filter).toEqual(expected)
    for (const filter of badFilters) {
      const refused = await entra.send('GET', `/Users?filter=${encodeURIComponent(filter)}`)
      expect([filter, refused.status, refused.body['scimType']]).toEqual([filter, 400, 'invalidFilter'])
      expect(refused.body['schemas']).toEqual([schemas.error])
    }
  },
)

test.each(databases)('pages have bounds, and a probe for nobody finds nobody (%s)', async (database) => {
  const world = await startWorld({ database })
  const okta = await addDirectory(world, 'okta')
  const made: string[] = []
  for (const name of ['a', 'b', 'c']) {
    made.push(await okta.makeUser(`${name}@example.com`))
    world.clock.advance(1)
  }
  const page = async (query: string) => (await okta.send('GET', `/Users?${query}`)).body
  expect(await page('filter=userName%20eq%20%22e5bdfb17-0000@example.com%22')).toMatchObject({
    totalResults: 0,
    Resources: [],
  })
  expect(await page('count=0')).toMatchObject({ totalResults: 3, itemsPerPage: 0, Resources: [] })
  expect(await page('count=1&startIndex=2')).toMatchObject({
    startIndex: 2,
    itemsPerPage: 1,
    Resources: [{ id: made[1] }],
  })
  expect(await page('startIndex=-5&count=-1')).toMatchObject({ startIndex: 1, itemsPerPage: 0, totalResults: 3 })
  expect(await page('startIndex=4')).toMatchObject({ totalResults: 3, Resources: [] })
  expect(await page('attributes=userName,emails.value&count=1')).toEqual({
    schemas: [schemas.list],
    totalResults: 3,
    startIndex: 1,
    itemsPerPage: 1,
    Resources: [{ schemas: [schemas.user], id: made[0], userName: 'a@example.com' }],
  })
  expect((await okta.send('GET', '/Users?sortBy=userName')).status).toBe(501)
  for (const query of [
    'count=ten',
    'startIndex=1.5',
    'attributes=userName&excludedAttributes=name',
    'count=1&count=2',
  ]) {
    expect((await okta.send('GET', `/Users?${query}`)).status).toBe(400)
  }
})

const badOperations = [
  [{ op: 'replace', path: 'noSuchThing', value: 'x' }, 'invalidPath'],
  [{ op: 'replace', path: '__proto__.polluted', value: 'x' }, 'invalidPath'],
  [{ op: 'add', path: 'constructor.prototype.polluted', value: 'x' }, 'invalidPath'],
  [{ op: 'replace', path: 'emails[type eq "none"]', value: { value: 'x' } }, 'noTarget'],
  [{ op: 'replace', path: 'emails[type co "x" or value pr]', value: { value: 'x' } }, 'invalidPath'],
  [{ op: 'remove', path: 'userName' }, 'mutability'],
  [{ op: 'remove', path: 'active' }, 'mutability'],
  [{ op: 'replace', path: 'active', value: 'perhaps' }, 'invalidValue'],
  [{ op: 'replace', path: 'userName', value: { a: 1 } }, 'invalidValue'],
  [{ op: 'move', path: 'title', value: 'x' }, 'invalidSyntax'],
  [{ op: 'remove' }, 'invalidSyntax'],
] as const

test.each(databases)(
  'what Entra sends is understood: words in any case, texts for booleans, keys that are paths (%s)',
  async (database) => {
    const world = await startWorld({ database })
    const entra = await addDirectory(world)
    const id = await entra.makeUser('bea@example.com', {
      externalId: 'x',
      emails: [{ type: 'home', value: 'bea@home.example' }],
    })
    const patched = await entra.patch(`/Users/${id}`, [
      { op: 'Replace', path: 'displayName', value: 'Bea Stone' },
      { op: 'Add', path: 'emails[type eq "work"].value', value: 'bea@example.com' },
      { op: 'Replace', path: 'emails[type eq "home"].value', value: 'bea@new.example' },
      { op: 'Replace', path: 'phoneNumbers[type eq "mobile"].value', value: '+41 1' },
      { op: 'Add', path: 'emails[type eq "work"].primary', value: 'True' },
      { op: 'Add', path: `${schemas.enterprise}:manager`, value: 'e-7' },
      {
        op: 'Add',
        value: {
          'name.familyName': 'Stone',
          [`${schemas.user}:name.givenName`]: 'Bea',
          [`${schemas.enterprise}:department`]: 'Books',
          [schemas.enterprise]: { costCenter: '9' },
          title: 'Librarian',
          unknownOfEntra: 'ignored',
        },
      },
    ])
    expect(patched.status, patched.text).toBe(200)
    expect(patched.body).toMatchObject({
      displayName: 'Bea Stone',
      title: 'Librarian',
      name: { familyName: 'Stone', givenName: 'Bea' },
      emails: [
        { type: 'home', value: 'bea@new.example' },
        { type: 'work', value: 'bea@example.com', primary: true },
      ],
      phoneNumbers: [{ type: 'mobile', value: '+41 1' }],
      [schemas.enterprise]: { manager: { value: 'e-7' }, department: 'Books', costCenter: '9' },
    })
    expect(patched.body).not.toHaveProperty('unknownOfEntra')
    expect((await world.ana.api('GET', '/people/bea')).body).toMatchObject({ displayName: 'Bea Stone' })
    const again = await entra.patch(`/Users/${id}`, [{ op: 'Replace', path: 'displayName', value: 'Bea Stone' }])
    expect(again.headers.get('etag')).toBe(patched.headers.get('etag'))
    const removed = await entra.patch(`/Users/${id}`, [
      { op: 'Remove', path: 'emails[type eq "home"]' },
      { op: 'remove', path: 'title' },
      { op: 'remove', path: 'nickName' },
      { op: 'Remove', path: `${schemas.enterprise}:department` },
      { op: 'replace', path: 'phoneNumbers', value: [] },
    ])
    expect(removed.status, removed.text).toBe(200)
    expect(removed.body['emails']).toEqual([{ type: 'work', value: 'bea@example.com', primary: true }])
    for (const name of ['title', 'phoneNumbers']) expect(removed.body).not.toHaveProperty(name)
    expect(removed.body[schemas.enterprise]).toEqual({ manager: { value: 'e-7' }, costCenter: '9' })
    for (const [operation, scimType] of badOperations) {
      const refused = await entra.patch(`/Users/${id}`, [{ op: 'replace', path: 'title', value: 'no' }, operation])
      expect([operation, refused.status, refused.body['scimType']]).toEqual([operation, 400, scimType])
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((await entra.send('GET', `/Users/${id}`)).body).not.toHaveProperty('title')
  },
)

test.each(databases)(
  'what Okta sends is understood: a whole person each time, and `active` alone (%s)',
  async (database) => {
    const world = await startWorld({ database })
    const okta = await addDirectory(world, 'okta')
    const whole = {
      schemas: [schemas.user],
      userName: 'ben@example.com',
      name: { givenName: 'Ben', familyName: 'Oak' },
      emails: [{ primary: true, value: 'ben@example.com', type: 'work' }],
      displayName: 'Ben Oak',
      locale: 'en-US',
      externalId: '00u1',
      groups: [],
      password: 'a password that nobody wants to keep',
      active: true,
    }
    const made = await okta.send('POST', '/Users', {
      body: whole,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    })
    expect(made.status, made.text).toBe(201)
    expect(made.text).not.toContain('password')
    const id = String(made.body['id'])
    const { emails: _, ...rest } = whole
    const put = await okta.send('PUT', `/Users/${id}`, { body: { ...rest, id, displayName: 'Benjamin' } })
    expect(put.body).toMatchObject({ displayName: 'Benjamin', active: true })
    expect(put.body).not.toHaveProperty('emails')
    const { active: __, ...silent } = whole
    await okta.patch(`/Users/${id}`, [{ op: 'replace', value: { active: false } }])
    expect((await okta.send('PUT', `/Users/${id}`, { body: silent })).body).toMatchObject({ active: false })
    expect((await okta.send('PUT', `/Users/${id}`, { body: whole })).body).toMatchObject({ active: true })
    expect(JSON.stringify(await world.ledger())).not.toContain('nobody wants')

    const twice = await okta.send('POST', '/Users', { body: { ...whole, userName: 'BEN@example.com' } })
    expect([twice.status, twice.body['scimType']]).toEqual([409, 'uniqueness'])
    const gone = await okta.send('DELETE', `/Users/${id}`)
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect((await okta.send('GET', `/Users/${id}`)).status).toBe(404)
    expect((await okta.send('DELETE', `/Users/${id}`)).status).toBe(404)
    const anew = await okta.makeUser('ben@example.com')
    expect(anew).not.toBe(id)
    const people = (await world.ana.api('GET', '/people')).body['items'] as { name: string; status: string }[]
    expect(people.filter(({ name }) => name.startsWith('ben')).map(({ name, status }) => [name, status])).toEqual([
      ['ben', 'suspended'],
      ['ben-2', 'active'],
    ])
  },
)

test('what is offered is told, and what is not is refused in the form of the standard', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  expect((await entra.send('GET', '/ServiceProviderConfig')).body).toMatchObject({
    patch: { supported: true },
    filter: { supported: true, maxResults: 200 },
    sort: { supported: false },
    etag: { supported: true },
  })
  expect((await entra.send('GET', '/ResourceTypes')).body).toMatchObject({ totalResults: 2 })
  expect((await entra.send('GET', '/ResourceTypes/User')).body).toMatchObject({ endpoint: '/Users' })
  expect((await entra.send('GET', `/Schemas/${schemas.enterprise}`)).body).toMatchObject({ name: 'EnterpriseUser' })
  const list = await entra.send('GET', '/Schemas')
  expect((list.body['Resources'] as { id: string }[]).map(({ id }) => id)).toEqual([
    schemas.user,
    schemas.group,
    schemas.enterprise,
  ])
  for (const [method, path, status] of [
    ['GET', '/Nothing', 404],
    ['GET', '/Schemas/urn:none', 404],
    ['POST', '/Bulk', 501],
    ['GET', '/Me', 501],
    ['POST', `${users}/.search`, 501],
    ['DELETE', '/Users', 405],
    ['POST', '/Schemas', 405],
    ['GET', `${users}/..%2fGroups`, 404],
    ['GET', `${users}/1`, 404],
  ] as const) {
    const answer = await entra.send(method, path, method === 'POST' ? { body: {} } : {})
    expect([path, answer.status, answer.body['schemas']]).toEqual([path, status, [schemas.error]])
    expect(answer.body['status']).toBe(String(status))
  }
  const bodies: readonly (readonly [unknown, Record<string, string>, number])[] = [
    ['{"userName":"a@b","userName":"c@d"}', {}, 400],
    ['{"userName":"a@b","__proto__":{}}', {}, 400],
    ['{"userName":', {}, 400],
    ['[]', {}, 400],
    ['{"userName":"a@b"}', { 'content-type': 'text/plain' }, 415],
    ['{"userName":"a@b"}', { 'content-encoding': 'gzip' }, 415],
    [{ userName: '' }, {}, 400],
    [{ displayName: 'nameless' }, {}, 400],
    [{ userName: 'a\u0000b' }, {}, 400],
    [{ userName: 'x'.repeat(257) }, {}, 400],
  ]
  for (const [body, headers, status] of bodies) {
    expect((await entra.send('POST', '/Users', { body, headers })).status, JSON.stringify(body)).toBe(status)
  }
  expect((await entra.makeUser('x'.repeat(256))).length).toBe(36)
})
