import { isRefusal, refuse, type Refusal } from '#kernel'
import { compileNetworks } from '#platform/http'
import type { Hold } from '#policy'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { flag, idParams, isoTime, isoTimeOrNull, listOf, moment, momentInput } from '../shapes.ts'

const hold = z.object({
  id: z.string(),
  kind: z.enum(['person', 'client', 'address', 'tool', 'upstream', 'everything']),
  subject: z.string(),
  reason: z.string(),
  placedBy: z.string(),
  placedAt: moment,
  expiresAt: moment.nullable(),
  liftedAt: moment.nullable(),
  liftedBy: z.string().nullable(),
})

function show(given: Hold): z.infer<typeof hold> {
  return {
    ...given,
    placedAt: isoTime(given.placedAt),
    expiresAt: isoTimeOrNull(given.expiresAt),
    liftedAt: isoTimeOrNull(given.liftedAt),
    liftedBy: given.liftedBy ?? null,
  }
}

const list = route({
  method: 'GET',
  path: '/holds',
  summary: 'holds in force; with `ended` past ones too',
  access: 'holds:read',
  query: z.strictObject({ ended: flag }),
  answer: listOf(hold),
  handle: async ({ rooms, query }) => ({
    items: (await rooms.policy.holds.list({ includeEnded: query.ended })).map(show),
  }),
})

/** WHY: whoever stops their own address, or a proxy's, meant somebody else. What is no network is refused by policy. */
function refuseOwnWay({ admission }: Rooms, network: string, address: string): Refusal | undefined {
  try {
    if (compileNetworks([network]).has(address)) return refuse(refusals.ownAddress, { names: { address } })
    return admission.current.gatewayProxies.overlaps(network)
      ? refuse(refusals.proxyHeld, { names: { network } })
      : undefined
  } catch {
    return undefined
  }
}

const place = route({
  method: 'POST',
  path: '/holds',
  summary: 'stop a person, a client, an address, a tool, an upstream or everything from the next request on',
  access: 'holds:write',
  status: 201,
  body: z.strictObject({
    kind: hold.shape.kind,
    subject: z.string().max(500).default(''),
    reason: z.string().min(1).max(500),
    expiresAt: momentInput.optional(),
  }),
  answer: hold,
  async handle({ rooms, principal, address, body }) {
    const { expiresAt, ...asked } = body
    const stranded = asked.kind === 'address' ? refuseOwnWay(rooms, asked.subject, address) : undefined
    if (stranded !== undefined) return stranded
    const account = asked.kind === 'client' ? await rooms.identity.serviceAccounts.find(asked.subject) : undefined
    const person = asked.kind === 'person' ? await rooms.identity.people.find(asked.subject) : undefined
    if (asked.kind === 'person' && person === undefined) return refuse(refusals.notFound, { names: { noun: 'person' } })
    if (person?.id === principal.id) return refuse(refusals.ownAccount)
    const placed = await rooms.policy.holds.place({
      ...asked,
      subject: person?.id ?? account?.id ?? asked.subject,
      by: principal,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    })
    return isRefusal(placed) ? placed : show(placed)
  },
})

const lift = route({
  method: 'DELETE',
  path: '/holds/:id',
  summary: 'lift a hold',
  access: 'holds:write',
  params: idParams,
  answer: hold,
  async handle({ rooms, principal, params }) {
    const lifted = await rooms.policy.holds.lift(params.id, principal)
    return isRefusal(lifted) ? lifted : show(lifted)
  },
})

export const holdRoutes = [list, place, lift]
