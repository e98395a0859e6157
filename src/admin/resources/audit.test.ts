import { expect, test } from 'vitest'
import { type AdminWorld, openAdminWorld } from '../../../test/world/admin.ts'
import type { Person } from '../../../test/world/people.ts'

async function lastSeq(reader: Person): Promise<number> {
  const { body } = await reader.api('GET', '/audit/state')
  return Number(body['size'])
}

function settled(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 150))
  return Promise.race([promise.then(() => true), later])
}

async function readers(): Promise<{ world: AdminWorld; ana: Person; alan: Person }> {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  return { world, ana, alan: await world.join(ana, 'alan', ['analyst']) }
}

test('a reader who waits gets the entry when it comes, and not the ones that do not match', async () => {
  const { ana, alan } = await readers()
  const after = await lastSeq(alan)
  const waiting = alan.api('GET', `/audit?after=${after}&event=role.granted&waitSeconds=20`)
  await ana.api('PUT', '/roles/quiet', { grants: [] })
  expect(await settled(waiting)).toBe(false)
  await ana.api('PUT', '/people/alan/roles/viewer', {})
  const { body } = await waiting
  expect(body).toMatchObject({ items: [{ event: 'role.granted', principal: { name: 'ana' } }] })
})

test('the wait ends without an entry when its time is up', async () => {
  const { alan } = await readers()
  const { status, body } = await alan.api('GET', `/audit?after=${await lastSeq(alan)}&waitSeconds=0.2`)
  expect([status, body]).toEqual([200, { items: [] }])
})

test('a reader who loses the right while waiting gets no entry', async () => {
  const { ana, alan } = await readers()
  const waiting = alan.api('GET', `/audit?after=${await lastSeq(alan)}&event=policy.published&waitSeconds=20`)
  expect(await settled(waiting)).toBe(false)
  await ana.api('DELETE', '/people/alan/roles/analyst')
  await ana.api('PUT', '/roles/quiet', { grants: [] })
  const { status, body } = await waiting
  expect([status, body['code']]).toEqual([403, 'admin.not-permitted'])
})

test('a reader whose session ends while waiting gets no entry', async () => {
  const { ana, alan } = await readers()
  const waiting = alan.api('GET', `/audit?after=${await lastSeq(alan)}&event=policy.published&waitSeconds=20`)
  expect(await settled(waiting)).toBe(false)
  await alan.api('POST', '/sign-out', {})
  await ana.api('PUT', '/roles/quiet', { grants: [] })
  expect((await waiting).status).toBe(401)
})

test('limits of the query are kept, at the limit and one past it', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const asked = [
    ['limit=1000', 200],
    ['limit=1001', 400],
    ['limit=1', 200],
    ['limit=0', 400],
    ['waitSeconds=25', 200],
    ['waitSeconds=25.001', 400],
    ['after=-1', 400],
    ['after=x', 400],
  ] as const
  const seen = asked.map(async ([query]) => [query, (await ana.api('GET', `/audit?${query}`)).status])
  expect(await Promise.all(seen)).toEqual(asked)
})
