import { openAdminWorld, type AdminWorld } from '../../../test/world/admin.ts'
import { expect, test } from 'vitest'
import { maxFolderBytes } from './changes-views.ts'

async function check(world: AdminWorld, session: string, body: string): Promise<[number, Record<string, unknown>]> {
  const answer = await fetch(`${world.adminUrl}/api/v1/policy/check`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${session}` },
    body,
  })
  return [answer.status, (await answer.json()) as Record<string, unknown>]
}

test('a policy folder of 16 MiB is read and one byte more is refused', async () => {
  const world = await openAdminWorld()
  const admin = await world.enrolAdmin()
  const frame = '{"files":[]}'
  const atLimit = frame + ' '.repeat(maxFolderBytes - frame.length)
  expect((await check(world, admin.sessionToken(), atLimit))[0]).toBe(200)
  expect(await check(world, admin.sessionToken(), `${atLimit} `)).toMatchObject([413, { code: 'admin.body-too-large' }])
})

test('who only reads roles is told what a folder would change, keeps nothing and drafts nothing', async () => {
  const world = await openAdminWorld()
  const admin = await world.enrolAdmin()
  const viewer = await world.join(admin, 'vic', ['viewer'])
  const files = [
    { path: 'roles/teller.yaml', text: 'grants: [{ permissions: [servers:use], resources: [bank] }]\n' },
    { path: 'policies/broken.cedar', text: 'permit (' },
  ]
  const { status, body } = await viewer.api('POST', '/policy/check', { files })
  expect([status, body['baseVersion'], body['isFourEyes']]).toEqual([200, 1, false])
  expect(body['changes']).toMatchObject([
    { kind: 'role', name: 'teller', change: 'added', before: null },
    { kind: 'file', name: 'broken.cedar', change: 'added' },
  ])
  expect(body['findings']).toMatchObject([{ code: 'lint.invalid', severity: 'error', file: 'broken.cedar' }])
  expect((await viewer.api('POST', '/policy/drafts', { files })).status).toBe(403)
  expect((await viewer.api('GET', '/policy/drafts')).body['items']).toEqual([])
})
