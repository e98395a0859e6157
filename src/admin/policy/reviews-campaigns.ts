import { isRefusal, refuse, type Refusal } from '#kernel'
import { reviewItemKinds, whenDueWays } from '#policy'
import { z } from 'zod'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route, streamRoute } from '../route.ts'
import { idParams, momentInput, nameText } from '../shapes.ts'
import { countSoon } from './reviews.ts'
import { campaign, item, plainItem, showCampaign, showItem } from './reviews-views.ts'

const dayMs = 86_400_000
const usualDays = 90

const texts = z.array(nameText).max(500).default([])
const limitText = z.coerce.number().int().min(1).max(500).default(100)
const counts = z.object({
  open: z.number(),
  kept: z.number(),
  revoked: z.number(),
  unanswered: z.number(),
  gone: z.number(),
})

/** Ids of people by name or id; the same answer for each that there is not. */
async function idsOf(rooms: Rooms, people: readonly string[]): Promise<string[] | Refusal> {
  const ids: string[] = []
  for (const one of new Set(people)) {
    const found = await rooms.identity.people.find(one)
    if (found === undefined) return refuse(refusals.notFound, { names: { noun: 'person' } })
    ids.push(found.id)
  }
  return ids
}

const begin = route({
  method: 'POST',
  path: '/reviews/campaigns',
  summary: 'begin a campaign: its items are what people and roles have at this moment',
  access: 'reviews:write',
  status: 201,
  body: z.strictObject({
    name: nameText,
    kinds: z.array(z.enum(reviewItemKinds)).max(reviewItemKinds.length).default([]),
    roles: texts,
    servers: texts,
    /** `sensitivity:restricted`, `data:personal`. */
    labels: texts,
    /** Persons and service accounts, by id or name. */
    people: texts,
    /** By id or name; owners where none is named. */
    reviewers: texts,
    dueAt: momentInput,
    whenDue: z.enum(whenDueWays).default('open'),
    since: momentInput.optional(),
  }),
  answer: campaign.extend({ counts }),
  async handle({ rooms, principal, body, allow }) {
    const refusal = allow('roles:write')
    if (refusal !== undefined) return refusal
    const { name, kinds, roles, servers, labels, dueAt, whenDue, since = rooms.clock.now() - usualDays * dayMs } = body
    const people = await idsOf(rooms, body.people)
    if (isRefusal(people)) return people
    const reviewers = await idsOf(rooms, body.reviewers)
    if (isRefusal(reviewers)) return reviewers
    await countSoon(rooms)
    const scope = { kinds, roles, servers, labels, people }
    const { campaigns } = rooms.policy.reviews
    const begun = await campaigns.begin({ name, scope, reviewers, whenDue, dueAt, since }, principal)
    return isRefusal(begun) ? begun : found(rooms, begun.id)
  },
})

async function found(rooms: Rooms, id: string) {
  const one = await rooms.policy.reviews.campaigns.find(id)
  if (isRefusal(one)) return one
  return { ...showCampaign(one.campaign, rooms.clock.now()), counts: { ...one.counts } }
}

const list = route({
  method: 'GET',
  path: '/reviews/campaigns',
  summary: 'campaigns, newest first',
  access: 'reviews:read',
  query: z.strictObject({ before: nameText.optional(), limit: limitText }),
  answer: z.object({ items: z.array(campaign), next: z.string().nullable() }),
  async handle({ rooms, query }) {
    const items = await rooms.policy.reviews.campaigns.list(query)
    const next = items.length === query.limit ? (items.at(-1)?.id ?? null) : null
    return { items: items.map((one) => showCampaign(one, rooms.clock.now())), next }
  },
})

const show = route({
  method: 'GET',
  path: '/reviews/campaigns/:id',
  summary: 'a campaign, with how many of its items are decided',
  access: 'reviews:read',
  params: idParams,
  answer: campaign.extend({ counts }),
  handle: async ({ rooms, params }) => found(rooms, params.id),
})

const items = route({
  method: 'GET',
  path: '/reviews/campaigns/:id/items',
  summary: 'the items of a campaign, in order',
  access: 'reviews:read',
  params: idParams,
  query: z.strictObject({
    after: z.coerce.number().int().min(0).default(0),
    limit: limitText,
    state: item.shape.state.optional(),
  }),
  answer: z.object({ items: z.array(item), next: z.number().nullable() }),
  async handle({ rooms, params, query }) {
    const { campaigns } = rooms.policy.reviews
    const known = await campaigns.find(params.id)
    if (isRefusal(known)) return known
    const page = await campaigns.items({ campaign: params.id, ...query })
    const next = page.length === query.limit ? (page.at(-1)?.place ?? null) : null
    return { items: page.map(showItem), next }
  },
})

const itemParams = z.strictObject({ id: nameText, place: z.coerce.number().int().min(1).max(1_000_000) })
const looked = { revision: z.number().int().min(1), reason: z.string().max(500).default('') }

const decide = route({
  method: 'POST',
  path: '/reviews/campaigns/:id/items/:place/decide',
  summary: 'keep or revoke what an item is about; a revoked assignment is taken at once',
  access: 'reviews:write',
  params: itemParams,
  body: z.strictObject({ ...looked, decision: z.enum(['keep', 'revoke']) }),
  answer: item,
  async handle({ rooms, principal, params, body }) {
    const { id: of, place } = params
    const decided = await rooms.policy.reviews.campaigns.decide({ campaign: of, place, ...body, by: principal })
    return isRefusal(decided) ? decided : showItem(decided)
  },
})

const delegate = route({
  method: 'POST',
  path: '/reviews/campaigns/:id/items/:place/delegate',
  summary: 'hand an item to another reviewer',
  access: 'reviews:write',
  params: itemParams,
  body: z.strictObject({ ...looked, to: nameText }),
  answer: item,
  async handle({ rooms, principal, params, body }) {
    const { id: of, place } = params
    const other = await rooms.identity.people.find(body.to)
    const asked = { ...body, to: other?.id ?? body.to }
    const handed = await rooms.policy.reviews.campaigns.delegate({ campaign: of, place, ...asked, by: principal })
    if (isRefusal(handed)) return handed
    const told = await rooms.policy.reviews.campaigns.find(of)
    const name = isRefusal(told) ? of : told.campaign.name
    await rooms.identity.notices.tell(handed.reviewers, 'review-asked', { name })
    return showItem(handed)
  },
})

const close = route({
  method: 'POST',
  path: '/reviews/campaigns/:id/close',
  summary: 'close a campaign for good; revoked grants become one draft of the policy',
  access: 'reviews:write',
  params: idParams,
  body: z.strictObject({ leaveOpen: z.boolean().default(false) }),
  answer: campaign.extend({ counts }),
  async handle({ rooms, principal, params, body, allow }) {
    const refusal = allow('roles:write')
    if (refusal !== undefined) return refusal
    const { campaigns } = rooms.policy.reviews
    await campaigns.settle()
    const closed = await campaigns.close({ id: params.id, mayLeaveOpen: body.leaveOpen, by: principal })
    return isRefusal(closed) ? closed : found(rooms, params.id)
  },
})

const exportLine = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('campaign'),
    campaign: campaign.omit({ isOverdue: true, exportHash: true }).extend({
      dueAt: z.number(),
      createdAt: z.number(),
      closedAt: z.number().nullable(),
      evidence: z.object({ since: z.number(), from: z.number(), upTo: z.number().nullable() }),
    }),
  }),
  z.object({ kind: z.literal('item'), item: plainItem }),
  /** SHA-256 of the canonical JSON (RFC 8785) of the lines before, each with a line feed. */
  z.object({ kind: z.literal('end'), items: z.number(), sha256: z.string() }),
  /** Nothing comes after it. */
  z.object({ kind: z.literal('broken'), code: z.string() }),
])

const exported = streamRoute({
  method: 'GET',
  path: '/reviews/campaigns/:id/export',
  summary: 'a closed campaign line by line: who decided what, when, and by which evidence; it ends with its hash',
  access: 'reviews:read',
  params: idParams,
  line: exportLine,
  async handle({ rooms, params }) {
    const lines = await rooms.policy.reviews.campaigns.export(params.id)
    return lines
  },
})

export const reviewCampaignRoutes = [begin, list, show, items, decide, delegate, close, exported]
