import type { GrantView } from '#identity'
import { isRefusal } from '#kernel'
import { z } from 'zod'
import { route } from '../route.ts'
import { idParams, isoTime, listOf, moment, nameText } from '../shapes.ts'
import { findPerson } from '../resources/people.ts'

/** What a person lets an OAuth client or a terminal do. */
const grant = z.object({
  id: z.string(),
  personId: z.string(),
  clientId: z.string(),
  clientName: z.string(),
  resource: z.string(),
  scopes: z.array(z.string()),
  factors: z.array(z.string()),
  createdAt: moment,
  expiresAt: moment,
})

function show({ scopes, factors, createdAt, expiresAt, ...rest }: GrantView): z.infer<typeof grant> {
  const times = { createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt) }
  return { ...rest, scopes: [...scopes], factors: [...factors], ...times }
}

const all = route({
  method: 'GET',
  path: '/grants',
  summary: 'what people let OAuth clients and terminals do, newest first',
  access: 'tokens:read',
  answer: listOf(grant),
  handle: async ({ rooms }) => ({ items: (await rooms.identity.grants.list()).map(show) }),
})

const own = route({
  method: 'GET',
  path: '/me/grants',
  summary: 'what you let OAuth clients and terminals do',
  access: 'signed-in',
  answer: listOf(grant),
  handle: async ({ rooms, principal }) => ({ items: (await rooms.identity.grants.list(principal.id)).map(show) }),
})

const endOwn = route({
  method: 'DELETE',
  path: '/me/grants/:id',
  summary: 'take back what you let a client do; its tokens end at once',
  access: 'signed-in',
  params: idParams,
  answer: grant,
  async handle({ rooms, principal, params }) {
    // INVARIANT: an id of another person's grant and an id that never was get the same answer.
    const how = { reason: 'taken back by its person', ownerId: principal.id }
    const ended = await rooms.identity.grants.end(params.id, principal, how)
    return isRefusal(ended) ? ended : show(ended)
  },
})

const list = route({
  method: 'GET',
  path: '/people/:id/grants',
  summary: 'what a person lets OAuth clients and terminals do, newest first',
  access: 'tokens:read',
  params: idParams,
  answer: listOf(grant),
  async handle({ rooms, params }) {
    const person = await findPerson(rooms, params.id)
    return isRefusal(person) ? person : { items: (await rooms.identity.grants.list(person.id)).map(show) }
  },
})

const end = route({
  method: 'DELETE',
  path: '/people/:id/grants/:grant',
  summary: 'end what a person lets a client do; its tokens end at once',
  access: 'tokens:write',
  params: z.strictObject({ id: nameText, grant: nameText }),
  answer: grant,
  async handle({ rooms, principal, params }) {
    const person = await findPerson(rooms, params.id)
    if (isRefusal(person)) return person
    const how = { reason: 'ended by an administrator', ownerId: person.id }
    const ended = await rooms.identity.grants.end(params.grant, principal, how)
    return isRefusal(ended) ? ended : show(ended)
  },
})

export const grantRoutes = [all, own, endOwn, list, end]
