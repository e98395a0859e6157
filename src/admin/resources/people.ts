import type { PersonView } from '#identity'
import { isRefusal, refuse, type Principal, type Refusal } from '#kernel'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { done, idParams, isoTime, listOf, moment, nameText } from '../shapes.ts'

export const person = z.object({
  id: z.string(),
  name: z.string(),
  displayName: z.string(),
  status: z.enum(['active', 'suspended']),
  /** A `service` account is a program; see the service accounts. */
  kind: z.enum(['person', 'service']),
  /** They have chosen a password. */
  isEnrolled: z.boolean(),
  hasSecondFactor: z.boolean(),
  roles: z.array(z.string()),
  createdAt: moment,
})

const enrolmentLink = z.object({ token: z.string(), url: z.string(), expiresAt: moment })

export function showPerson(found: PersonView): z.infer<typeof person> {
  return { ...found, roles: [...found.roles], createdAt: isoTime(found.createdAt) }
}

function showLink(rooms: Rooms, link: { token: string; expiresAt: number }): z.infer<typeof enrolmentLink> {
  const page = new URL('/setup', rooms.config.admin.publicUrl)
  return { token: link.token, url: `${page.href}#${link.token}`, expiresAt: isoTime(link.expiresAt) }
}

/** A person by id or name, or the answer that is the same for every person there is not. */
export async function findPerson(rooms: Rooms, idOrName: string): Promise<PersonView | Refusal> {
  return (await rooms.identity.people.find(idOrName)) ?? refuse(refusals.notFound, { names: { noun: 'person' } })
}

const list = route({
  method: 'GET',
  path: '/people',
  summary: 'every person and the roles they have',
  access: 'people:read',
  answer: listOf(person),
  async handle({ rooms }) {
    const people = await rooms.identity.people.list()
    return { items: people.map(showPerson) }
  },
})

const invite = route({
  method: 'POST',
  path: '/people',
  summary: 'invite a person; the link in the answer is shown once. Giving roles needs roles:write too',
  access: 'people:write',
  status: 201,
  body: z.strictObject({
    name: nameText,
    displayName: nameText.optional(),
    roles: z.array(nameText).max(50).default([]),
  }),
  answer: enrolmentLink,
  async handle({ rooms, principal, body, allow }) {
    if (body.roles.length > 0) {
      const refusal = allow('roles:write') ?? (await rooms.policy.roles.refuseGiving(body.roles, principal))
      if (refusal !== undefined) return refusal
    }
    const invited = await rooms.identity.enrolments.invite({ ...body, by: principal })
    return isRefusal(invited) ? invited : showLink(rooms, invited)
  },
})

const show = route({
  method: 'GET',
  path: '/people/:id',
  summary: 'one person, by id or name',
  access: 'people:read',
  params: idParams,
  answer: person,
  async handle({ rooms, params }) {
    const found = await findPerson(rooms, params.id)
    return isRefusal(found) ? found : showPerson(found)
  },
})

interface Change {
  readonly verb: 'suspend' | 'resume' | 'sign-out'
  readonly summary: string
  /** Would lock out the caller when done to themselves. */
  readonly locksOut: boolean
  change(rooms: Rooms, personId: string, by: Principal): Promise<unknown>
}

function changeRoute({ verb, summary, locksOut, change }: Change) {
  return route({
    method: 'POST',
    path: `/people/:id/${verb}`,
    summary,
    access: 'people:write',
    params: idParams,
    answer: person,
    async handle({ rooms, principal, params }) {
      const found = await findPerson(rooms, params.id)
      if (isRefusal(found)) return found
      if (locksOut && found.id === principal.id) return refuse(refusals.ownAccount)
      const outcome = await change(rooms, found.id, principal)
      if (isRefusal(outcome)) return outcome
      const changed = await findPerson(rooms, found.id)
      return isRefusal(changed) ? changed : showPerson(changed)
    },
  })
}

const suspend = changeRoute({
  verb: 'suspend',
  summary: 'stop a person from the next request on; their sessions and tokens stop working',
  locksOut: true,
  change: async (rooms, personId, by) => rooms.identity.people.suspend(personId, by),
})

const resume = changeRoute({
  verb: 'resume',
  summary: 'let a suspended person in again',
  locksOut: false,
  change: async (rooms, personId, by) => rooms.identity.people.resume(personId, by),
})

const signOut = changeRoute({
  verb: 'sign-out',
  summary: 'end every session of a person',
  locksOut: false,
  change: async (rooms, personId, by) => rooms.identity.sessions.endAll(personId, by),
})

const resetSecondFactor = route({
  method: 'POST',
  path: '/people/:id/reset-second-factor',
  summary: 'a new enrolment link for a person who lost their authenticator and codes',
  access: 'people:write',
  params: idParams,
  answer: enrolmentLink,
  async handle({ rooms, principal, params }) {
    const found = await findPerson(rooms, params.id)
    if (isRefusal(found)) return found
    if (found.id === principal.id) return refuse(refusals.ownAccount)
    // INVARIANT: who holds the link becomes that person, so it is given only by someone who has all their roles allow.
    const refusal = await rooms.policy.roles.refuseGiving(found.roles, principal)
    if (refusal !== undefined) return refusal
    const link = await rooms.identity.people.resetSecondFactor(found.id, principal)
    return isRefusal(link) ? link : showLink(rooms, link)
  },
})

const roleParams = z.strictObject({ id: nameText, role: nameText })

function roleRoute(method: 'PUT' | 'DELETE', summary: string, verb: 'grant' | 'revoke') {
  return route({
    method,
    path: '/people/:id/roles/:role',
    summary,
    access: 'roles:write',
    params: roleParams,
    answer: done,
    async handle({ rooms, principal, params }) {
      const found = await findPerson(rooms, params.id)
      if (isRefusal(found)) return found
      const change = { personId: found.id, role: params.role, by: principal }
      const outcome = await rooms.policy.roles[verb](change)
      return isRefusal(outcome) ? outcome : { done: true as const }
    },
  })
}

const grantRole = roleRoute('PUT', 'give a person a role', 'grant')
const revokeRole = roleRoute('DELETE', 'take a role from a person', 'revoke')

export const peopleRoutes = [list, invite, show, suspend, resume, signOut, resetSecondFactor, grantRole, revokeRole]
