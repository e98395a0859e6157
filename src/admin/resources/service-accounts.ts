import type { AccessTokenView, ServiceAccountView } from '#identity'
import { isRefusal, refuse, type Principal, type Refusal } from '#kernel'
import { z } from 'zod'
import { invalid } from '../read-fields.ts'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route, type Caller } from '../route.ts'
import { idParams, isoTime, isoTimeOrNull, listOf, moment, nameText } from '../shapes.ts'
import { findPerson } from './people.ts'
import { isOwnResource } from './tokens.ts'

const account = z.object({
  id: z.string(),
  name: z.string(),
  purpose: z.string(),
  /** `unowned`: its owner is suspended or gone. */
  state: z.enum(['active', 'suspended', 'expired', 'unowned']),
  owner: z.object({ id: z.string(), name: z.string() }),
  roles: z.array(z.string()),
  mayReadAdmin: z.boolean(),
  createdAt: moment,
  createdBy: z.string().nullable(),
  expiresAt: moment,
  /** Whole days; 0 when it has ended. */
  daysLeft: z.number(),
})

const token = z.object({
  id: z.string(),
  label: z.string(),
  resource: z.string(),
  createdAt: moment,
  expiresAt: moment,
  revokedAt: moment.nullable(),
})

const client = z.object({ id: z.string(), name: z.string(), isBlocked: z.boolean() })

function show(view: ServiceAccountView): z.infer<typeof account> {
  const { createdAt, expiresAt, roles } = view
  return { ...view, roles: [...roles], createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt) }
}

function showToken({ id, label, resource, createdAt, expiresAt, revokedAt }: AccessTokenView): z.infer<typeof token> {
  const times = { createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt), revokedAt: isoTimeOrNull(revokedAt) }
  return { id, label, resource, ...times }
}

/** An account by id or name, or the answer that is the same for every one there is not. */
async function find(rooms: Rooms, idOrName: string): Promise<ServiceAccountView | Refusal> {
  const found = await rooms.identity.serviceAccounts.find(idOrName)
  return found ?? refuse(refusals.notFound, { names: { noun: 'service account' } })
}

/**
 * The account, for its owner or whoever has the permission. `ownerId` keeps an owner to what is theirs when it counts.
 * INVARIANT: to everybody else an account is one that is not there.
 */
async function findAllowed(
  { rooms, principal, allow }: Caller & { readonly principal: Principal },
  idOrName: string,
  permission: Parameters<Caller['allow']>[0],
): Promise<{ readonly found: ServiceAccountView; readonly ownerId: string | undefined } | Refusal> {
  const found = await rooms.identity.serviceAccounts.find(idOrName)
  const refusal = allow(permission)
  if (refusal === undefined && found !== undefined) return { found, ownerId: undefined }
  if (found?.owner.id === principal.id) return { found, ownerId: principal.id }
  return refusal ?? refuse(refusals.notFound, { names: { noun: 'service account' } })
}

const list = route({
  method: 'GET',
  path: '/service-accounts',
  summary: 'every service account, the next to end first',
  access: 'people:read',
  answer: listOf(account),
  handle: async ({ rooms }) => ({ items: (await rooms.identity.serviceAccounts.list()).map(show) }),
})

const add = route({
  method: 'POST',
  path: '/service-accounts',
  summary: 'make a service account. Giving roles, or letting it read by the admin API, needs roles:write too',
  access: 'people:write',
  status: 201,
  body: z.strictObject({
    name: nameText,
    purpose: nameText,
    /** Name or id of the person who answers for it. */
    owner: nameText,
    days: z.number().int().min(1).max(3_650).optional(),
    roles: z.array(nameText).max(50).default([]),
    mayReadAdmin: z.boolean().default(false),
  }),
  answer: account,
  async handle({ rooms, principal, body, allow }) {
    const { owner, roles, mayReadAdmin } = body
    if (roles.length > 0 || mayReadAdmin) {
      const giving = await rooms.policy.roles.refuseGiving(roles, principal, { mayReadAdmin })
      const refusal = allow('roles:write') ?? giving
      if (refusal !== undefined) return refusal
    }
    const person = await findPerson(rooms, owner)
    if (isRefusal(person)) return person
    const added = await rooms.identity.serviceAccounts.add({ ...body, ownerId: person.id, by: principal })
    return isRefusal(added) ? added : show(added)
  },
})

const showOne = route({
  method: 'GET',
  path: '/service-accounts/:id',
  summary: 'one service account with its tokens and OAuth clients, by id or name; its owner may ask, too',
  access: 'signed-in',
  params: idParams,
  answer: account.extend({ tokens: z.array(token), clients: z.array(client) }),
  async handle(call) {
    const allowed = await findAllowed(call, call.params.id, 'people:read')
    if (isRefusal(allowed)) return allowed
    const { found } = allowed
    const { tokens, clients } = call.rooms.identity
    const own = (await clients.list()).filter(({ personId }) => personId === found.id)
    return {
      ...show(found),
      tokens: (await tokens.list(found.id)).map(showToken),
      clients: own.map(({ id, name, isBlocked }) => ({ id, name, isBlocked })),
    }
  },
})

const renew = route({
  method: 'POST',
  path: '/service-accounts/:id/renew',
  summary: 'move the end of a service account, also after it; its owner may, too',
  access: 'signed-in',
  params: idParams,
  body: z.strictObject({ days: z.number().int().min(1).max(3_650).optional() }),
  answer: account,
  async handle(call) {
    const allowed = await findAllowed(call, call.params.id, 'people:write')
    if (isRefusal(allowed)) return allowed
    const { found, ownerId } = allowed
    const change = { id: found.id, by: call.principal, ownerId, days: call.body.days }
    const renewed = await call.rooms.identity.serviceAccounts.renew(change)
    return isRefusal(renewed) ? renewed : show(renewed)
  },
})

const assign = route({
  method: 'POST',
  path: '/service-accounts/:id/assign',
  summary: 'give a service account another owner; tokens that the former owner made end',
  access: 'people:write',
  params: idParams,
  body: z.strictObject({ owner: nameText }),
  answer: account,
  async handle({ rooms, principal, params, body }) {
    const found = await find(rooms, params.id)
    if (isRefusal(found)) return found
    const person = await findPerson(rooms, body.owner)
    if (isRefusal(person)) return person
    // INVARIANT: an owner can make tokens of it, so it is given away only by someone who has all its roles allow.
    const refusal = await rooms.policy.roles.refuseGiving(found.roles, principal)
    if (refusal !== undefined) return refusal
    const assigned = await rooms.identity.serviceAccounts.assign({ id: found.id, by: principal, to: person.id })
    return isRefusal(assigned) ? assigned : show(assigned)
  },
})

const suspend = route({
  method: 'POST',
  path: '/service-accounts/:id/suspend',
  summary: 'stop a service account from the next request on; its owner may, too',
  access: 'signed-in',
  params: idParams,
  answer: account,
  async handle(call) {
    const allowed = await findAllowed(call, call.params.id, 'people:write')
    if (isRefusal(allowed)) return allowed
    const change = { id: allowed.found.id, by: call.principal, ownerId: allowed.ownerId }
    const suspended = await call.rooms.identity.serviceAccounts.suspend(change)
    return isRefusal(suspended) ? suspended : show(suspended)
  },
})

function changeRoute(verb: 'resume' | 'remove', summary: string) {
  return route({
    method: 'POST',
    path: `/service-accounts/:id/${verb}`,
    summary,
    access: 'people:write',
    params: idParams,
    answer: account,
    async handle({ rooms, principal, params }) {
      const found = await find(rooms, params.id)
      if (isRefusal(found)) return found
      const changed = await rooms.identity.serviceAccounts[verb]({ id: found.id, by: principal })
      return isRefusal(changed) ? changed : show(changed)
    },
  })
}

const resume = changeRoute('resume', 'let a suspended service account act again; its tokens stay ended')
const remove = changeRoute('remove', 'end a service account for good, with its tokens, roles and OAuth clients')

/** Why this is nothing that a token of the account can be for. */
function refuseResource(rooms: Rooms, { mayReadAdmin }: ServiceAccountView, resource: string): Refusal | undefined {
  const { admin, gateway } = rooms.config
  const isAdmin = resource === admin.publicUrl
  if (isAdmin ? mayReadAdmin : isOwnResource(resource, gateway.publicUrl)) return undefined
  const also = mayReadAdmin ? ', or `admin`' : ''
  const detail = `must be ${gateway.publicUrl}/servers/<upstream>/mcp, /bundles/<bundle>/mcp or /mcp there${also}`
  return invalid([{ pointer: '#/body/resource', detail }])
}

const mint = route({
  method: 'POST',
  path: '/service-accounts/:id/tokens',
  summary: 'a new access token of a service account for one resource, shown once; its owner may, too',
  access: 'signed-in',
  recordsOwnRefusals: true,
  status: 201,
  params: idParams,
  body: z.strictObject({
    label: nameText,
    /** Of an MCP endpoint; or `admin`, for the admin API. */
    resource: z.string().max(500),
    ttlSeconds: z
      .number()
      .int()
      .min(1)
      .max(366 * 86_400),
  }),
  answer: z.object({ token: z.string(), view: token }),
  async handle(call) {
    const { rooms, principal, address, body } = call
    const allowed = await findAllowed(call, call.params.id, 'tokens:write')
    if (isRefusal(allowed)) return allowed
    const { found, ownerId } = allowed
    // INVARIANT: whoever has the token has the roles: nobody but the owner makes one who has less than they allow.
    const beyond = ownerId === undefined ? await rooms.policy.roles.refuseGiving(found.roles, principal) : undefined
    const resource = body.resource === 'admin' ? rooms.config.admin.publicUrl : body.resource
    const refusal = beyond ?? refuseResource(rooms, found, resource)
    if (refusal !== undefined) return refusal
    const asked = { ...body, resource, account: { id: found.id, ownerId } }
    const minted = await rooms.identity.tokens.mint({ principal, address, ...asked })
    return isRefusal(minted) ? minted : { token: minted.token, view: showToken(minted.view) }
  },
})

export const serviceAccountRoutes = [list, add, showOne, renew, assign, suspend, resume, remove, mint]
