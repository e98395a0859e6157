import { isRefusal, refuse } from '#kernel'
import { upstreamRefusals, type EndpointState } from '#upstream'
import { z } from 'zod'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { done, listOf, nameParams, nameText } from '../shapes.ts'

const endpoint = z.object({
  id: z.string(),
  url: z.string(),
  weight: z.number(),
  region: z.string().nullable(),
  /** By the health checks of the process that answers. */
  isHealthy: z.boolean(),
  breaker: z.enum(['closed', 'open', 'half-open']),
  /** Until it is tried again; 0 unless the breaker is open. */
  waitSeconds: z.number(),
  callsUnderWay: z.number(),
})

function show({ endpoint: given, isHealthy, isOpen, waitMs, inFlight }: EndpointState): z.infer<typeof endpoint> {
  return {
    id: given.id,
    // WHY: a query may carry a credential of the upstream.
    url: given.url.replace(/\?.*$/s, '?…'),
    weight: given.weight,
    region: given.region ?? null,
    isHealthy,
    breaker: !isOpen ? 'closed' : waitMs > 0 ? 'open' : 'half-open',
    waitSeconds: Math.ceil(waitMs / 1_000),
    callsUnderWay: inFlight,
  }
}

async function showAll(rooms: Rooms, name: string, isAsked: boolean) {
  const states = await rooms.upstreams.endpoints.states(name, isAsked)
  if (rooms.upstreams.catalog.find(name) === undefined) return refuse(upstreamRefusals.unknown, { names: { name } })
  return { items: states.map(show) }
}

const list = route({
  method: 'GET',
  path: '/upstreams/:name/endpoints',
  summary: 'the addresses at which an upstream answers, and how each of them is',
  access: 'upstreams:read',
  params: nameParams,
  answer: listOf(endpoint),
  handle: ({ rooms, params }) => showAll(rooms, params.name, false),
})

const check = route({
  method: 'POST',
  path: '/upstreams/:name/endpoints/check',
  summary: 'ask every endpoint of an upstream at once whether it is alive',
  access: 'upstreams:write',
  params: nameParams,
  answer: listOf(endpoint),
  handle: ({ rooms, params }) => showAll(rooms, params.name, true),
})

const add = route({
  method: 'POST',
  path: '/upstreams/:name/endpoints',
  summary: 'give an upstream one more address at which the same server answers',
  access: 'upstreams:write',
  status: 201,
  params: nameParams,
  body: z.strictObject({
    url: z.string().max(2048),
    weight: z.number().optional(),
    region: z.string().max(200).optional(),
  }),
  answer: z.object({ id: z.string() }),
  async handle({ rooms, principal, params, body }) {
    const added = await rooms.upstreams.endpoints.add(params.name, { ...body, by: principal })
    return isRefusal(added) ? added : { id: added.id }
  },
})

const remove = route({
  method: 'DELETE',
  path: '/upstreams/:name/endpoints/:id',
  summary: 'take an address from an upstream; calls under way there are finished, its sessions are over',
  access: 'upstreams:write',
  params: z.strictObject({ name: nameText, id: nameText }),
  answer: done,
  async handle({ rooms, principal, params }) {
    const removed = await rooms.upstreams.endpoints.remove(params.name, params.id, principal)
    return isRefusal(removed) ? removed : { done: true as const }
  },
})

export const endpointRoutes = [list, add, check, remove]
