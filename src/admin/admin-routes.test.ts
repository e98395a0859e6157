import { expect, test } from 'vitest'
import { openAdminWorld } from '../../test/world/admin.ts'
import { eachDatabase } from '../../test/world/databases.ts'
import { callAdmin } from '../../test/world/people.ts'
import { adminRoutes } from './admin-routes.ts'

/** Answers to a request with an empty body: without a session, as viewer, as analyst, as admin. */
type Expected = readonly [none: number, viewer: number, analyst: number, admin: number]

const everyone: Expected = [401, 200, 200, 200]
const wrongInput: Expected = [400, 400, 400, 400]

const expected: Record<string, Expected> = {
  'POST /enrolments/begin': wrongInput,
  'POST /enrolments/choose': wrongInput,
  'POST /enrolments/finish': wrongInput,
  'POST /sign-in': wrongInput,
  'GET /me': everyone,
  'GET /me/sessions': everyone,
  'DELETE /me/sessions/:id': [401, 404, 404, 404],
  'GET /people/:id/sessions': [401, 403, 404, 404],
  'DELETE /people/:id/sessions/:session': [401, 403, 403, 404],
  'GET /grants': [401, 403, 200, 200],
  'GET /me/grants': everyone,
  'DELETE /me/grants/:id': [401, 404, 404, 404],
  'GET /people/:id/grants': [401, 403, 404, 404],
  'DELETE /people/:id/grants/:grant': [401, 403, 403, 404],
  'POST /me/password': [401, 400, 400, 400],
  'POST /me/recovery-codes': [401, 400, 400, 400],
  'GET /me/factors': everyone,
  'GET /me/passkeys': everyone,
  'POST /me/passkeys': [401, 400, 400, 400],
  'POST /me/passkeys/begin': [401, 400, 400, 400],
  'POST /me/passkeys/proof': everyone,
  'POST /me/passkeys/:id/rename': [401, 400, 400, 400],
  'POST /me/passkeys/:id/remove': [401, 400, 400, 400],
  'GET /account/notices': everyone,
  'POST /account/notices/read': everyone,
  'GET /people/:id/factors': [401, 404, 404, 404],
  'DELETE /people/:id/factors/:factor': [401, 403, 403, 404],
  'POST /people/:id/resets': [401, 403, 403, 400],
  'GET /resets': [401, 403, 403, 200],
  'POST /resets/:id/approve': [401, 403, 403, 404],
  'DELETE /resets/:id': [401, 403, 403, 404],
  'GET /tokens': everyone,
  'POST /tokens': [401, 400, 400, 400],
  'DELETE /tokens/:id': [401, 404, 404, 404],
  'GET /people': everyone,
  'POST /people': [401, 403, 403, 400],
  'GET /people/:id': [401, 404, 404, 404],
  'POST /people/:id/suspend': [401, 403, 403, 404],
  'POST /people/:id/resume': [401, 403, 403, 404],
  'POST /people/:id/sign-out': [401, 403, 403, 404],
  'POST /people/:id/reset-second-factor': [401, 403, 403, 404],
  'PUT /people/:id/roles/:role': [401, 403, 403, 404],
  'DELETE /people/:id/roles/:role': [401, 403, 403, 404],
  'GET /providers': everyone,
  'POST /providers': [401, 403, 403, 400],
  'DELETE /providers/:name': [401, 403, 403, 404],
  'POST /providers/:name/test': [401, 403, 403, 404],
  'GET /providers/:name/links': [401, 404, 404, 404],
  'POST /providers/:name/links': [401, 403, 403, 400],
  'DELETE /providers/:name/links/:subject': [401, 403, 403, 404],
  'GET /clients': everyone,
  'POST /clients': [401, 403, 403, 400],
  'POST /clients/:id/approve': [401, 403, 403, 404],
  'POST /clients/:id/block': [401, 403, 403, 404],
  'POST /clients/:id/keys/withdraw': [401, 403, 403, 400],
  'GET /issuers/keys/withdrawn': everyone,
  'POST /issuers/keys/withdraw': [401, 403, 403, 400],
  'POST /issuers/keys/restore': [401, 403, 403, 400],
  'GET /scim-connections': everyone,
  'POST /scim-connections': [401, 403, 403, 400],
  'POST /scim-connections/:name/rotate': [401, 403, 403, 400],
  'DELETE /scim-connections/:name': [401, 403, 403, 404],
  'POST /scim-connections/:name/mappings': [401, 403, 403, 400],
  'POST /scim-connections/:name/mappings/remove': [401, 403, 403, 400],
  'POST /scim-connections/:name/people': [401, 403, 403, 400],
  'GET /service-accounts': everyone,
  'POST /service-accounts': [401, 403, 403, 400],
  'GET /service-accounts/:id': [401, 404, 404, 404],
  'POST /service-accounts/:id/renew': [401, 403, 403, 404],
  'POST /service-accounts/:id/assign': [401, 403, 403, 400],
  'POST /service-accounts/:id/suspend': [401, 403, 403, 404],
  'POST /service-accounts/:id/resume': [401, 403, 403, 404],
  'POST /service-accounts/:id/remove': [401, 403, 403, 404],
  'POST /service-accounts/:id/tokens': [401, 400, 400, 400],
  'GET /roles': everyone,
  'PUT /roles/:name': [401, 403, 403, 400],
  'DELETE /roles/:name': [401, 403, 403, 404],
  'GET /policy/schema': everyone,
  'POST /policy/check': [401, 400, 400, 400],
  'GET /policy/drafts': everyone,
  'GET /policy/drafts/:id': [401, 404, 404, 404],
  'POST /policy/drafts': [401, 403, 403, 400],
  'PUT /policy/drafts/:id': [401, 403, 403, 400],
  'POST /policy/drafts/:id/propose': [401, 403, 403, 400],
  'POST /policy/drafts/:id/publish': [401, 403, 403, 400],
  'POST /policy/drafts/:id/abandon': [401, 403, 403, 404],
  'GET /policy/history': everyone,
  'GET /policy/snapshots/:version': [401, 400, 400, 400],
  'GET /policy/diff': [401, 400, 400, 400],
  'POST /policy/rollback': [401, 403, 403, 400],
  'POST /policy/rollback-now': [401, 403, 403, 400],
  'GET /policy/snapshot': everyone,
  'GET /policy/decide': [401, 400, 400, 400],
  'GET /policy/explain': [401, 403, 400, 400],
  'GET /policy/who-can': [401, 400, 400, 400],
  'POST /policy/replay': [401, 403, 400, 400],
  'GET /reviews/access': [401, 403, 200, 200],
  'GET /reviews/unused': [401, 403, 200, 200],
  'GET /reviews/campaigns': [401, 403, 200, 200],
  'POST /reviews/campaigns': [401, 403, 403, 400],
  'GET /reviews/campaigns/:id': [401, 403, 404, 404],
  'GET /reviews/campaigns/:id/items': [401, 403, 404, 404],
  'POST /reviews/campaigns/:id/items/:place/decide': [401, 403, 403, 400],
  'POST /reviews/campaigns/:id/items/:place/delegate': [401, 403, 403, 400],
  'POST /reviews/campaigns/:id/close': [401, 403, 403, 404],
  'GET /reviews/campaigns/:id/export': [401, 403, 404, 404],
  'GET /approvals': [401, 403, 403, 200],
  'GET /approvals/:id': [401, 403, 403, 404],
  'POST /approvals/:id/approve': [401, 403, 403, 400],
  'POST /approvals/:id/deny': [401, 403, 403, 400],
  'GET /people/:name/flow': [401, 404, 404, 404],
  'POST /people/:name/flow/reset': [401, 403, 403, 400],
  'POST /upstreams/:name/tools/classify': [401, 403, 403, 400],
  'PUT /upstreams/:name/classification': [401, 403, 403, 400],
  'GET /upstreams': everyone,
  'POST /upstreams': [401, 403, 403, 400],
  'DELETE /upstreams/:name': [401, 403, 403, 404],
  'POST /upstreams/:name/review': [401, 403, 403, 404],
  'GET /upstreams/:name/tools': [401, 404, 404, 404],
  'POST /upstreams/:name/tools/approve': [401, 403, 403, 400],
  'POST /upstreams/:name/tools/reject': [401, 403, 403, 400],
  'GET /upstreams/:name/differences': [401, 404, 404, 404],
  'POST /upstreams/:name/tools/quarantine': [401, 403, 403, 400],
  'GET /upstreams/:name/endpoints': [401, 404, 404, 404],
  'POST /upstreams/:name/endpoints': [401, 403, 403, 400],
  'POST /upstreams/:name/endpoints/check': [401, 403, 403, 404],
  'DELETE /upstreams/:name/endpoints/:id': [401, 403, 403, 404],
  'GET /bundles': everyone,
  'POST /bundles': [401, 403, 403, 400],
  'DELETE /bundles/:name': [401, 403, 403, 404],
  'GET /budgets': everyone,
  'GET /budgets/:id': [401, 404, 404, 404],
  'PUT /budgets': [401, 403, 403, 400],
  'DELETE /budgets/:id': [401, 403, 403, 404],
  'GET /tool-costs': everyone,
  'PUT /tool-costs': [401, 403, 403, 400],
  'GET /holds': everyone,
  'POST /holds': [401, 403, 400, 400],
  'DELETE /holds/:id': [401, 403, 404, 404],
  'GET /audit': [401, 403, 200, 200],
  'GET /audit/state': [401, 403, 200, 200],
  'GET /audit/checkpoint': [401, 403, 200, 200],
  'GET /audit/proof': [401, 403, 400, 400],
  'GET /audit/consistency': [401, 403, 400, 400],
  'POST /config/reload': [401, 403, 403, 200],
  'POST /sign-out': everyone,
}

test('every route there is stands in the table of expected answers, and nothing else does', () => {
  expect(adminRoutes.map((route) => `${route.method} ${route.path}`).sort()).toEqual(Object.keys(expected).sort())
})

eachDatabase('every route', (open) => {
  test('answers a stranger, a viewer, an analyst and an admin as the table says', { timeout: 60_000 }, async () => {
    const world = await openAdminWorld({ database: await open() })
    const admin = await world.enrolAdmin()
    const viewer = await world.join(admin, 'vera', ['viewer'])
    const analyst = await world.join(admin, 'alan', ['analyst'])
    const tokens = [undefined, viewer.sessionToken(), analyst.sessionToken(), admin.sessionToken()]
    const seen: Record<string, number[]> = {}
    for (const name of Object.keys(expected)) {
      const [method = '', path = ''] = name.split(' ')
      const target = path.replace(/:\w+/g, 'nowhere')
      const body = method === 'GET' ? undefined : {}
      const answers = tokens.map((token) => callAdmin(world.adminUrl, { method, path: target, body, token }))
      seen[name] = (await Promise.all(answers)).map((answer) => answer.status)
    }
    expect(seen).toEqual(expected)
  })
})
