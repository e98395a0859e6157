import { isRefusal } from '#kernel'
import { z } from 'zod'
import { route } from '../route.ts'
import { done, idParams, listOf, nameText } from '../shapes.ts'
import { session, showSession } from '../resources/account.ts'
import { findPerson } from '../resources/people.ts'

const list = route({
  method: 'GET',
  path: '/people/:id/sessions',
  summary: 'the sessions of a person, newest first',
  access: 'tokens:read',
  params: idParams,
  answer: listOf(session),
  async handle({ rooms, principal, params }) {
    const person = await findPerson(rooms, params.id)
    if (isRefusal(person)) return person
    const sessions = await rooms.identity.sessions.list(person.id)
    return { items: sessions.map((one) => showSession(one, principal.credential.id)) }
  },
})

const end = route({
  method: 'DELETE',
  path: '/people/:id/sessions/:session',
  summary: 'end one session of a person at once',
  access: 'tokens:write',
  params: z.strictObject({ id: nameText, session: nameText }),
  answer: done,
  async handle({ rooms, principal, params }) {
    const person = await findPerson(rooms, params.id)
    if (isRefusal(person)) return person
    const ended = await rooms.identity.sessions.end(params.session, principal, 'ended-by-administrator', person.id)
    return isRefusal(ended) ? ended : { done: true as const }
  },
})

export const sessionRoutes = [list, end]
