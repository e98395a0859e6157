import type { ResetStep, ResetView } from '#identity'
import { isRefusal, refuse } from '#kernel'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { done, idParams, isoTime, listOf, moment } from '../shapes.ts'
import { findPerson } from './people.ts'

const kind = z.enum(['password-lost', 'factors-lost'])

const reset = z.object({
  id: z.string(),
  person: z.object({ id: z.string(), name: z.string() }),
  kind,
  reason: z.string(),
  startedBy: z.string(),
  startedAt: moment,
  expiresAt: moment,
  approvedBy: z.array(z.string()),
  approvalsNeeded: z.number(),
})

/** The link is there once enough have agreed, and is shown once, to be handed to the person. */
const step = z.object({ reset, link: z.object({ url: z.string(), expiresAt: moment }).nullable() })

function show(view: ResetView): z.infer<typeof reset> {
  return {
    ...view,
    approvedBy: [...view.approvedBy],
    startedAt: isoTime(view.startedAt),
    expiresAt: isoTime(view.expiresAt),
  }
}

function showStep({ config }: Rooms, { reset: view, link }: ResetStep): z.infer<typeof step> {
  if (link === undefined) return { reset: show(view), link: null }
  const page =
    link.leadsTo === 'recovery'
      ? new URL('/recover', config.gateway.publicUrl)
      : new URL('/setup', config.admin.publicUrl)
  return { reset: show(view), link: { url: `${page.href}#${link.token}`, expiresAt: isoTime(link.expiresAt) } }
}

const start = route({
  method: 'POST',
  path: '/people/:id/resets',
  summary:
    'start a reset: a person who lost their password proves a factor they have; one who lost all factors enrols anew, ' +
    'and for an administrator another administrator has to approve',
  recordsOwnRefusals: true,
  access: 'people:write',
  status: 201,
  params: idParams,
  body: z.strictObject({ kind, reason: z.string().trim().min(1).max(500) }),
  answer: step,
  async handle({ rooms, principal, params, body }) {
    const found = await findPerson(rooms, params.id)
    if (isRefusal(found)) return found
    // INVARIANT: who holds a link may become that person, so it is given only by someone who has all their roles allow.
    const refusal = await rooms.policy.roles.refuseGiving(found.roles, principal)
    if (refusal !== undefined)
      return refuse(refusals.notPermitted, { names: { permission: 'people:write' }, detail: refusal.detail })
    const started = await rooms.identity.resets.start({ ...body, personId: found.id, by: principal })
    return isRefusal(started) ? started : showStep(rooms, started)
  },
})

const list = route({
  method: 'GET',
  path: '/resets',
  summary: 'resets that were started and not finished',
  access: 'people:write',
  answer: listOf(reset),
  async handle({ rooms }) {
    return { items: (await rooms.identity.resets.list()).map(show) }
  },
})

const approve = route({
  method: 'POST',
  path: '/resets/:id/approve',
  summary: 'agree to the reset of an administrator that another administrator started',
  recordsOwnRefusals: true,
  access: 'people:write',
  params: idParams,
  answer: step,
  async handle({ rooms, principal, params }) {
    const approved = await rooms.identity.resets.approve(params.id, principal)
    return isRefusal(approved) ? approved : showStep(rooms, approved)
  },
})

const cancel = route({
  method: 'DELETE',
  path: '/resets/:id',
  summary: 'cancel a reset',
  recordsOwnRefusals: true,
  access: 'people:write',
  params: idParams,
  answer: done,
  async handle({ rooms, principal, params }) {
    const cancelled = await rooms.identity.resets.cancel(params.id, principal)
    return isRefusal(cancelled) ? cancelled : { done: true as const }
  },
})

export const resetRoutes = [start, list, approve, cancel]
