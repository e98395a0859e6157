import type { FactorView, Notice } from '#identity'
import { isRefusal, refuse } from '#kernel'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import { route } from '../route.ts'
import { done, idParams, isoTime, isoTimeOrNull, listOf, moment, nameText } from '../shapes.ts'
import { findPerson } from './people.ts'

const factor = z.object({
  id: z.string(),
  kind: z.enum(['password', 'totp', 'passkey', 'recovery-codes']),
  name: z.string(),
  createdAt: moment.nullable(),
  lastUsedAt: moment.nullable(),
})

function showFactor(view: FactorView): z.infer<typeof factor> {
  return { ...view, createdAt: isoTimeOrNull(view.createdAt), lastUsedAt: isoTimeOrNull(view.lastUsedAt) }
}

const notice = z.object({
  id: z.string(),
  kind: z.string(),
  details: z.record(z.string(), z.unknown()),
  createdAt: moment,
  isRead: z.boolean(),
})

function showNotice(given: Notice): z.infer<typeof notice> {
  return { ...given, details: { ...given.details }, createdAt: isoTime(given.createdAt) }
}

const list = route({
  method: 'GET',
  path: '/people/:id/factors',
  summary: 'what a person can prove themselves with',
  access: 'people:read',
  params: idParams,
  answer: listOf(factor),
  async handle({ rooms, params }) {
    const found = await findPerson(rooms, params.id)
    if (isRefusal(found)) return found
    return { items: (await rooms.identity.factors.list(found.id)).map(showFactor) }
  },
})

const revoke = route({
  method: 'DELETE',
  path: '/people/:id/factors/:factor',
  summary:
    'take one factor from a person, such as a lost authenticator; their sessions end. A password is taken by a reset',
  access: 'people:write',
  params: z.strictObject({ id: nameText, factor: nameText }),
  answer: factor,
  async handle({ rooms, principal, params }) {
    const found = await findPerson(rooms, params.id)
    if (isRefusal(found)) return found
    if (found.id === principal.id) return refuse(refusals.ownAccount)
    const refusal = await rooms.policy.roles.refuseGiving(found.roles, principal)
    if (refusal !== undefined) return refusal
    const revoked = await rooms.identity.factors.revoke({ personId: found.id, id: params.factor, by: principal })
    return isRefusal(revoked) ? revoked : showFactor(revoked)
  },
})

const own = route({
  method: 'GET',
  path: '/me/factors',
  summary: 'what you can prove yourself with',
  access: 'signed-in',
  isForRegistering: true,
  answer: listOf(factor),
  async handle({ rooms, principal }) {
    return { items: (await rooms.identity.factors.list(principal.id)).map(showFactor) }
  },
})

const notices = route({
  method: 'GET',
  path: '/account/notices',
  summary: 'what you should know of your account: sign-ins from elsewhere and changes of factors',
  access: 'signed-in',
  answer: listOf(notice),
  async handle({ rooms, principal }) {
    return { items: (await rooms.identity.notices.list(principal.id)).map(showNotice) }
  },
})

const readNotices = route({
  method: 'POST',
  path: '/account/notices/read',
  summary: 'take all notices as read',
  access: 'signed-in',
  answer: done,
  async handle({ rooms, principal }) {
    await rooms.identity.notices.markRead(principal.id)
    return { done: true as const }
  },
})

export const factorRoutes = [list, revoke, own, notices, readNotices]
