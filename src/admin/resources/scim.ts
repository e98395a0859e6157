import type { Provisioning } from '#identity'
import { isRefusal } from '#kernel'
import { z } from 'zod'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { isoTime, isoTimeOrNull, listOf, moment, nameParams, nameText } from '../shapes.ts'
import { findPerson } from './people.ts'

type View = Awaited<ReturnType<Provisioning['list']>>[number]

const linkWay = z.enum(['sub', 'oid', 'email'])
const groupText = z.string().min(1).max(500)

const connection = z.object({
  name: z.string(),
  /** Of its token; null where it comes with an OAuth client. */
  expiresAt: moment.nullable(),
  clientId: z.string().nullable(),
  provider: z.string().nullable(),
  linkBy: linkWay,
  people: z.number().int(),
  groups: z.number().int(),
  mappings: z.array(z.object({ group: z.string(), role: z.string() })),
  /** Where the directory sends its requests. */
  url: z.string(),
  createdAt: moment,
})

const withToken = z.object({ connection, token: z.string().nullable() })
const seconds = z.number().int().min(1)
const counts = z.record(z.string(), z.number().int())
const roleChanges = z.object({ added: counts, removed: counts })

function show({ config }: Rooms, view: View): z.input<typeof connection> {
  const { mappings, createdAt, expiresAt, ...rest } = view
  return {
    ...rest,
    mappings: [...mappings],
    expiresAt: isoTimeOrNull(expiresAt),
    url: `${config.gateway.publicUrl}/scim/v2`,
    createdAt: isoTime(createdAt),
  }
}

const list = route({
  method: 'GET',
  path: '/scim-connections',
  summary: 'directories that provision people, and what their groups give; never their tokens',
  access: 'people:read',
  answer: listOf(connection),
  handle: async ({ rooms }) => ({
    items: (await rooms.identity.provisioning.list()).map((view) => show(rooms, view)),
  }),
})

const add = route({
  method: 'POST',
  path: '/scim-connections',
  summary: 'let a directory provision people; its token is shown once',
  access: 'config:write',
  status: 201,
  body: z.strictObject({
    name: nameText,
    ttlSeconds: seconds.optional(),
    clientId: nameText.optional(),
    provider: nameText.optional(),
    linkBy: linkWay.optional(),
  }),
  answer: withToken,
  async handle({ rooms, principal, body }) {
    const added = await rooms.identity.provisioning.add(body, principal)
    return isRefusal(added) ? added : { connection: show(rooms, added.view), token: added.token ?? null }
  },
})

const rotate = route({
  method: 'POST',
  path: '/scim-connections/:name/rotate',
  summary: 'give a directory a new token, shown once; the one before is worth nothing from then on',
  access: 'config:write',
  params: nameParams,
  body: z.strictObject({ ttlSeconds: seconds }),
  answer: withToken,
  async handle({ rooms, principal, params, body }) {
    const rotated = await rooms.identity.provisioning.rotate({ ...params, ...body }, principal)
    return isRefusal(rotated) ? rotated : { connection: show(rooms, rotated.view), token: rotated.token ?? null }
  },
})

const remove = route({
  method: 'DELETE',
  path: '/scim-connections/:name',
  summary: 'remove a directory; its people stay, the roles that its groups gave are gone',
  access: 'config:write',
  params: nameParams,
  answer: z.object({ people: z.number().int(), groups: z.number().int() }),
  handle: ({ rooms, principal, params }) => rooms.identity.provisioning.remove(params.name, principal),
})

const map = route({
  method: 'POST',
  path: '/scim-connections/:name/mappings',
  summary: 'let the members of a group have a role that is within your own rights',
  access: 'config:write',
  params: nameParams,
  body: z.strictObject({
    group: groupText,
    role: nameText,
    /** Has to be said where the role is `admin`. */
    makesAdministrators: z.boolean().default(false),
  }),
  answer: roleChanges,
  async handle({ rooms, principal, params, body, allow }) {
    const refusal = allow('roles:write') ?? (await rooms.policy.roles.refuseGiving([body.role], principal))
    if (refusal !== undefined) return refusal
    const { group, role, makesAdministrators: isAdministrationMeant } = body
    return rooms.identity.provisioning.map({ connection: params.name, group, role, isAdministrationMeant }, principal)
  },
})

const unmap = route({
  method: 'POST',
  path: '/scim-connections/:name/mappings/remove',
  summary: 'end that the members of a group have a role',
  access: 'config:write',
  params: nameParams,
  body: z.strictObject({ group: groupText, role: nameText }),
  answer: roleChanges,
  async handle({ rooms, principal, params, body, allow }) {
    const refusal = allow('roles:write') ?? (await rooms.policy.roles.refuseGiving([body.role], principal))
    if (refusal !== undefined) return refusal
    return rooms.identity.provisioning.unmap({ connection: params.name, ...body }, principal)
  },
})

const adopt = route({
  method: 'POST',
  path: '/scim-connections/:name/people',
  summary: 'hand a person who has no more rights than you over to a directory; never an administrator',
  access: 'people:write',
  status: 201,
  params: nameParams,
  body: z.strictObject({ person: nameText, userName: z.string().min(1).max(256).optional() }),
  answer: z.object({ personId: z.string(), userName: z.string() }),
  async handle({ rooms, principal, params, body }) {
    const person = await findPerson(rooms, body.person)
    if (isRefusal(person)) return person
    const refusal = await rooms.policy.roles.refuseGiving(person.roles, principal)
    if (refusal !== undefined) return refusal
    const asked = { connection: params.name, personId: person.id, userName: body.userName }
    return rooms.identity.provisioning.adopt(asked, principal)
  },
})

export const scimRoutes = [list, add, rotate, remove, map, unmap, adopt]
