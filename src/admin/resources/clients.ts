import type { ClientView } from '#identity'
import { isRefusal } from '#kernel'
import { z } from 'zod'
import { route } from '../route.ts'
import { idParams, isoTime, listOf, moment, nameText } from '../shapes.ts'

const client = z.object({
  id: z.string(),
  name: z.string(),
  /** How it became known. */
  registeredBy: z.enum(['administrator', 'built-in', 'metadata-document', 'registration']),
  redirectHosts: z.array(z.string()),
  /** The service account that it acts as when it acts for nobody else. */
  personId: z.string().nullable(),
  /** It is tied to a person and not to a service account: it is given no token. */
  actsAsPerson: z.boolean(),
  /** MCP servers that it may exchange people's tokens for. */
  exchangeResources: z.array(z.string()),
  createdAt: moment,
  isApproved: z.boolean(),
  isBlocked: z.boolean(),
})

function show(view: ClientView): z.infer<typeof client> {
  const { createdAt, redirectHosts, personId = null, exchangeResources = [], ...rest } = view
  return {
    ...rest,
    redirectHosts: [...redirectHosts],
    personId,
    exchangeResources: [...exchangeResources],
    createdAt: isoTime(createdAt),
  }
}

const list = route({
  method: 'GET',
  path: '/clients',
  summary: 'OAuth clients, and how each became known; newest first',
  access: 'people:read',
  answer: listOf(client),
  handle: async ({ rooms }) => ({ items: (await rooms.identity.clients.list()).map(show) }),
})

const keySet = z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(10) })
const grantType = z.enum([
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:token-exchange',
])

const add = route({
  method: 'POST',
  path: '/clients',
  summary: 'register an OAuth client; its secret is shown once',
  access: 'people:write',
  status: 201,
  body: z.strictObject({
    name: nameText,
    redirectUris: z.array(z.string().max(2000)).max(20).default([]),
    authentication: z.enum(['none', 'client_secret_basic', 'private_key_jwt']).default('none'),
    grantTypes: z.array(grantType).min(1).max(4),
    jwks: keySet.optional(),
    /** With `client_credentials` only: the id of the service account that it acts as. */
    personId: nameText.optional(),
    /** With token exchange only: the MCP servers that it may exchange people's tokens for, by their full addresses. */
    exchangeResources: z.array(z.string().max(2000)).min(1).max(20).optional(),
  }),
  answer: z.object({ client, secret: z.string().nullable() }),
  async handle({ rooms, principal, body }) {
    if (body.personId !== undefined) {
      // INVARIANT: whoever has the secret has the roles of the account; the secret is for who has what they allow.
      const roles = await rooms.policy.roles.of(body.personId)
      const refusal = await rooms.policy.roles.refuseGiving(roles, principal)
      if (refusal !== undefined) return refusal
    }
    const added = await rooms.identity.addClient({ ...body, by: principal })
    return isRefusal(added) ? added : { client: show(added.view), secret: added.secret ?? null }
  },
})

const approve = route({
  method: 'POST',
  path: '/clients/:id/approve',
  summary: 'let a client come in that registered itself, or one that was blocked',
  access: 'people:write',
  params: idParams,
  answer: client,
  async handle({ rooms, principal, params }) {
    const approved = await rooms.identity.clients.approve(params.id, principal)
    return isRefusal(approved) ? approved : show(approved)
  },
})

const block = route({
  method: 'POST',
  path: '/clients/:id/block',
  summary: 'keep a client out; what it was granted ends at once',
  access: 'people:write',
  params: idParams,
  answer: client,
  async handle({ rooms, principal, params }) {
    const blocked = await rooms.identity.clients.block(params.id, principal)
    return isRefusal(blocked) ? blocked : show(blocked)
  },
})

const withdrawKey = route({
  method: 'POST',
  path: '/clients/:id/keys/withdraw',
  summary: 'take a key from a client; what it was given ends at once, and it goes on with its other keys',
  access: 'people:write',
  params: idParams,
  /** The `kid` of the key. */
  body: z.strictObject({ key: nameText }),
  answer: z.object({ id: z.string(), name: z.string(), keysLeft: z.number() }),
  handle: async ({ rooms, principal, params, body }) =>
    rooms.identity.withdrawClientKey(params.id, body.key, principal),
})

export const clientRoutes = [list, add, approve, block, withdrawKey]
