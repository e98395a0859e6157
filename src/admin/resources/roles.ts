import { isRefusal } from '#kernel'
import type { Role } from '#policy'
import { z } from 'zod'
import { route } from '../route.ts'
import { done, isoTime, listOf, longText, moment, nameParams, nameText } from '../shapes.ts'

/** Every permission there is. In a role policy judges the words, `*` among them. */
export const permissionText = z.enum([
  'servers:use',
  'tools:call',
  'resources:read',
  'prompts:get',
  'files:read',
  'roots:share',
  'people:read',
  'people:write',
  'roles:read',
  'roles:write',
  'upstreams:read',
  'upstreams:write',
  'holds:read',
  'holds:write',
  'audit:read',
  'reviews:read',
  'reviews:write',
  'metrics:read',
  'tokens:read',
  'tokens:write',
])

const grant = z.strictObject({
  permissions: z.array(z.string().min(1).max(100)).max(100),
  resources: z.array(z.string().min(1).max(500)).max(500),
  stepUp: z.literal(true).exactOptional(),
  when: z.string().min(1).max(4_096).exactOptional(),
})

const role = z.object({
  name: z.string(),
  description: z.string(),
  /** The name of the person who answers for it. */
  owner: z.string().exactOptional(),
  grants: z
    .array(
      z.object({
        permissions: z.array(z.string()).readonly(),
        resources: z.array(z.string()).readonly(),
        stepUp: z.literal(true).exactOptional(),
        when: z.string().exactOptional(),
      }),
    )
    .readonly(),
  isShipped: z.boolean(),
  updatedAt: moment,
})

function showRole(given: Role): z.infer<typeof role> {
  return { ...given, updatedAt: isoTime(given.updatedAt) }
}

const list = route({
  method: 'GET',
  path: '/roles',
  summary: 'every role and what it grants',
  access: 'roles:read',
  answer: listOf(role),
  async handle({ rooms }) {
    const roles = await rooms.policy.roles.list()
    return { items: roles.map(showRole) }
  },
})

const put = route({
  method: 'PUT',
  path: '/roles/:name',
  summary: 'make or replace a role',
  access: 'roles:write',
  params: nameParams,
  body: z.strictObject({
    description: longText.default(''),
    owner: nameText.exactOptional(),
    grants: z.array(grant).max(200),
  }),
  answer: role,
  async handle({ rooms, principal, params, body }) {
    const put = await rooms.policy.roles.put({ name: params.name, ...body, by: principal })
    return isRefusal(put) ? put : showRole(put)
  },
})

const remove = route({
  method: 'DELETE',
  path: '/roles/:name',
  summary: 'remove a role from everyone and for good',
  access: 'roles:write',
  params: nameParams,
  answer: done,
  async handle({ rooms, principal, params }) {
    const removed = await rooms.policy.roles.remove(params.name, principal)
    return isRefusal(removed) ? removed : { done: true as const }
  },
})

export const roleRoutes = [list, put, remove]
