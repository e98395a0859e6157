import { expect, test } from 'vitest'
import { startWorld } from '../../../test/world/castellan.ts'
import { addDirectory, schemas } from '../../../test/world/identity-provider/directory.ts'
import { mostPerPage, scimLimits } from './limits.ts'

/** Valid JSON of exactly so many bytes. */
function padded(body: object, bytes: number): string {
  const text = JSON.stringify(body)
  return text + ' '.repeat(bytes - Buffer.byteLength(text))
}

test('a body, operations, members and values are taken up to their limits and not one more', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  const id = await entra.makeUser('bea@example.com')
  const group = await entra.makeGroup('All')
  const made = { schemas: [schemas.user], userName: 'big@example.com' }
  const at = await entra.send('POST', '/Users', { body: padded(made, scimLimits.bodyBytes) })
  expect(at.status, at.text).toBe(201)
  const past = await entra.send('POST', '/Users', {
    body: padded({ ...made, userName: 'more' }, scimLimits.bodyBytes + 1),
  })
  expect([past.status, past.body['schemas']]).toEqual([413, [schemas.error]])

  const operations = (count: number) =>
    Array.from({ length: count }, (_, each) => ({ op: 'replace', path: 'title', value: `t${each}` }))
  expect((await entra.patch(`/Users/${id}`, operations(scimLimits.operations))).body).toMatchObject({ title: 't999' })
  expect((await entra.patch(`/Users/${id}`, operations(scimLimits.operations + 1))).status).toBe(413)

  const removed = (count: number) => [
    { op: 'remove', path: 'members', value: Array.from({ length: count }, (_, each) => ({ value: `nobody-${each}` })) },
  ]
  expect((await entra.patch(`/Groups/${group}`, removed(scimLimits.membersPerRequest))).status).toBe(200)
  expect((await entra.patch(`/Groups/${group}`, removed(scimLimits.membersPerRequest + 1))).status).toBe(413)
  const split = [...removed(scimLimits.membersPerRequest), ...removed(1)]
  expect((await entra.patch(`/Groups/${group}`, split)).status).toBe(413)

  const emails = (count: number) => [
    {
      op: 'replace',
      path: 'emails',
      value: Array.from({ length: count }, (_, each) => ({ value: `e${each}@x.example` })),
    },
  ]
  expect((await entra.patch(`/Users/${id}`, emails(scimLimits.values))).status).toBe(200)
  expect((await entra.patch(`/Users/${id}`, emails(scimLimits.values + 1))).status).toBe(413)
  const title = (length: number) => [{ op: 'replace', path: 'title', value: 'x'.repeat(length) }]
  expect((await entra.patch(`/Users/${id}`, title(scimLimits.textChars))).status).toBe(200)
  expect((await entra.patch(`/Users/${id}`, title(scimLimits.textChars + 1))).body).toMatchObject({
    scimType: 'invalidValue',
  })
  const path = `emails[value eq "${'x'.repeat(scimLimits.pathChars)}"]`
  expect((await entra.patch(`/Users/${id}`, [{ op: 'remove', path }])).body).toMatchObject({ scimType: 'invalidPath' })
})

test.each(['sqlite', 'postgres'] as const)(
  'texts that a database cannot keep or index are refused (%s)',
  async (database) => {
    const world = await startWorld({ database })
    const entra = await addDirectory(world)
    const long = (bytes: number) =>
      Array.from({ length: bytes / 2 }, (_, at) => String.fromCharCode(0x430 + (at % 32))).join('')
    const user = async (more: object) =>
      (await entra.send('POST', '/Users', { body: { userName: 'a@b', ...more } })).status
    for (const body of [
      { displayName: 'a\u0000b' },
      { externalId: long(2_002) },
      { emails: [{ value: long(2_002) }] },
      { userName: '\ufdfa'.repeat(100) },
    ]) {
      expect([JSON.stringify(body).slice(0, 40), await user(body)]).toEqual([JSON.stringify(body).slice(0, 40), 400])
    }
    expect(await user({ externalId: long(2_000), emails: [{ value: long(2_000) }] })).toBe(201)
    for (const body of [{ displayName: 'x', externalId: long(2_002) }, { displayName: '\ufdfa'.repeat(100) }]) {
      expect((await entra.send('POST', '/Groups', { body })).status).toBe(400)
    }
    const group = await entra.makeGroup('All')
    for (const operation of [
      { op: 'add', path: 'externalId', value: 'a\u0000' },
      { op: 'add', path: 'members', value: [{ value: 'a\u0000' }] },
      { op: 'replace', path: 'displayName', value: 'a\u0000' },
    ]) {
      expect((await entra.patch(`/Groups/${group}`, [operation])).status).toBe(400)
    }
    const found = await entra.send('GET', `/Users?filter=${encodeURIComponent('userName eq "a\u0000"')}`)
    expect([found.status, found.body['scimType']]).toEqual([400, 'invalidFilter'])
    const both = await entra.patch(`/Groups/${group}?attributes=id&excludedAttributes=members`, [
      { op: 'replace', path: 'displayName', value: 'Changed' },
    ])
    expect(both.status).toBe(400)
    expect((await entra.send('GET', `/Groups/${group}`)).body).toMatchObject({ displayName: 'All' })
  },
)

test('what is kept of a person has a limit', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  const id = await entra.makeUser('bea@example.com')
  const photos = (count: number, last: number) => ({
    userName: 'bea@example.com',
    photos: Array.from({ length: count }, (_, each) => ({
      value: 'p'.repeat(each === 0 ? last : scimLimits.textChars),
    })),
  })
  const put = (last: number) => entra.send('PUT', `/Users/${id}`, { body: photos(17, last) })
  const fits = scimLimits.documentChars - JSON.stringify(photos(17, 1)).length + 1
  expect((await put(fits)).status).toBe(200)
  expect((await put(fits + 1)).status).toBe(413)
})

test('a filter has at most its length, depth and terms; a page at most its resources', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  const asked = async (filter: string) =>
    (await entra.send('GET', `/Users?count=0&filter=${encodeURIComponent(filter)}`)).body['scimType'] ?? 'found'
  const long = (length: number) => `userName eq "${'x'.repeat(length - 'userName eq ""'.length)}"`
  expect(await asked(long(scimLimits.filterChars))).toBe('found')
  expect(await asked(long(scimLimits.filterChars + 1))).toBe('invalidFilter')
  const deep = (depth: number) => `${'('.repeat(depth)}active eq true${')'.repeat(depth)}`
  expect(await asked(deep(scimLimits.filterDepth))).toBe('found')
  expect(await asked(deep(scimLimits.filterDepth + 1))).toBe('invalidFilter')
  const wide = (terms: number) => Array.from({ length: terms }, (_, each) => `id eq "${each}"`).join(' or ')
  expect(await asked(wide(scimLimits.filterTerms))).toBe('found')
  expect(await asked(wide(scimLimits.filterTerms + 1))).toBe('invalidFilter')
  expect(await asked(`userName eq "${'('.repeat(100)}"`)).toBe('found')

  for (let at = 0; at <= mostPerPage; at++) await entra.makeUser(`p${at}@example.com`)
  const page = await entra.send('GET', `/Users?count=${mostPerPage + 1}&attributes=userName`)
  expect(page.body).toMatchObject({ totalResults: mostPerPage + 1, itemsPerPage: mostPerPage })
}, 60_000)

test('tokens live for a day to two years, and names of connections are short', async () => {
  const world = await startWorld()
  const day = 86_400
  const add = async (name: string, more: object) =>
    (await world.ana.api('POST', '/scim-connections', { name, ...more })).status
  expect(await add('a', { ttlSeconds: day - 1 })).toBe(422)
  expect(await add('a', { ttlSeconds: day })).toBe(201)
  expect(await add('b', { ttlSeconds: 730 * day + 1 })).toBe(422)
  expect(await add('b', { ttlSeconds: 730 * day })).toBe(201)
  expect(await add('b', { ttlSeconds: day })).toBe(409)
  expect(await add('x'.repeat(31), { ttlSeconds: day })).toBe(201)
  expect(await add('x'.repeat(32), { ttlSeconds: day })).toBe(422)
  expect(await add('c', {})).toBe(422)
  expect(await add('c', { ttlSeconds: day, clientId: 'x' })).toBe(422)
  expect(await add('c', { ttlSeconds: day, linkBy: 'oid' })).toBe(422)
  expect(await add('c', { ttlSeconds: day, provider: 'nobody' })).toBe(404)
  expect(await add('c', { clientId: 'nobody' })).toBe(422)
})

test('the doorway counts a directory, and turns a foreign Host and Origin away before its token is looked at', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS: '20' } })
  const entra = await addDirectory(world)
  const foreign = await entra.send('GET', '/Users', { headers: { origin: 'https://elsewhere.example' } })
  expect(foreign.status).toBe(403)
  const statuses: number[] = []
  for (let at = 0; at < 25; at++) statuses.push((await entra.send('GET', '/Users?count=0')).status)
  expect(statuses[0]).toBe(200)
  expect(statuses.at(-1)).toBe(429)
})
