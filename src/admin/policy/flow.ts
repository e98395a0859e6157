import { isRefusal, refuse } from '#kernel'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { isoTime, listOf, moment, nameParams } from '../shapes.ts'

const label = z.object({
  /** `client/<id>`, or `tokens` for what uses the person's own access tokens. */
  bearer: z.string(),
  label: z.string(),
  /** Where it was met first. */
  upstream: z.string(),
  kind: z.string(),
  name: z.string().nullable(),
  addedAt: moment,
})

async function personIdOf({ identity }: Rooms, name: string) {
  return (await identity.people.find(name))?.id ?? refuse(refusals.notFound, { names: { noun: 'person' } })
}

const show = route({
  method: 'GET',
  path: '/people/:name/flow',
  summary: 'what the clients of a person have met: sensitive data, and what strangers wrote',
  access: 'roles:read',
  params: nameParams,
  answer: listOf(label),
  async handle({ rooms, params }) {
    const personId = await personIdOf(rooms, params.name)
    if (typeof personId !== 'string') return personId
    const labels = await rooms.policy.flow.list({ personId })
    const items = labels.map(({ bearer, label: text, source, addedAt }) => {
      const { upstream, kind, name = null } = source
      return { bearer, label: text, upstream, kind, name, addedAt: isoTime(addedAt) }
    })
    return { items }
  },
})

const reset = route({
  method: 'POST',
  path: '/people/:name/flow/reset',
  summary: 'set back what the clients of somebody else have met, or one of them',
  access: 'roles:write',
  params: nameParams,
  body: z.strictObject({ bearer: z.string().min(1).max(500).optional(), reason: z.string().max(2_000) }),
  answer: z.object({ removed: z.number() }),
  async handle({ rooms, principal, params, body }) {
    const personId = await personIdOf(rooms, params.name)
    if (typeof personId !== 'string') return personId
    const removed = await rooms.policy.flow.reset({ personId, by: principal, ...body })
    return isRefusal(removed) ? removed : { removed }
  },
})

export const flowRoutes = [show, reset]
