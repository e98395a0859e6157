import { setTimeout as sleep } from 'node:timers/promises'
import { isRefusal, refuse, type Refusal } from '#kernel'
import type { AccessCursor } from '#policy'
import { z } from 'zod'
import { invalid } from '../read-fields.ts'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { momentInput, nameText } from '../shapes.ts'
import { targetOf } from './questions-asked.ts'
import { accessLine, evidence, showAccess, showEvidence, showUnused, unusedLine } from './reviews-views.ts'

const dayMs = 86_400_000
const usualDays = 90
/** So long a report waits for what was not counted yet; it says up to where it is counted. */
const longestCountMs = 5_000

const limitText = z.coerce.number().int().min(1).max(500).default(100)

const cursor = z.discriminatedUnion('part', [
  z.strictObject({ part: z.literal('assigned'), person: z.string(), role: z.string() }),
  z.strictObject({ part: z.literal('claimed'), person: z.string(), role: z.string() }),
  z.strictObject({ part: z.literal('rules') }),
])
const unusedCursor = z.strictObject({ person: z.string(), role: z.string() })

function writeCursor(next: object | undefined): string | null {
  return next === undefined ? null : Buffer.from(JSON.stringify(next)).toString('base64url')
}

function readCursor<Shape extends z.ZodType>(text: string, shape: Shape): z.infer<Shape> | Refusal {
  try {
    const read = shape.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
    if (read.success) return read.data
  } catch {
    // WHY: whatever is wrong with it, it is no position.
  }
  return invalid([{ pointer: '#/query/after', detail: 'not a position of this list' }])
}

/** Counts what is new in the ledger, if that does not take long. */
export async function countSoon(rooms: Rooms): Promise<void> {
  const counting = rooms.policy.reviews.count()
  counting.catch(() => undefined)
  await Promise.race([counting, sleep(longestCountMs, undefined, { ref: false })])
}

/** `<upstream>/tools/<name>` and the like, or a server. */
function thingOf({ tool, server }: { readonly tool?: string | undefined; readonly server?: string | undefined }) {
  if (tool === undefined) return server === undefined ? undefined : { upstream: server }
  const target = targetOf(tool)
  if (target === 'castellan' || target.kind === 'server') {
    return invalid([{ pointer: '#/query/tool', detail: 'write upstream/tools/name' }])
  }
  const { upstream, kind, name = '' } = target
  return { upstream, kind, name }
}

async function personIdOf(rooms: Rooms, asked: string | undefined): Promise<string | undefined | Refusal> {
  if (asked === undefined) return undefined
  const found = await rooms.identity.people.find(asked)
  return found === undefined ? refuse(refusals.notFound, { names: { noun: 'person' } }) : found.id
}

const access = route({
  method: 'GET',
  path: '/reviews/access',
  summary:
    'who has access to what: assignments of roles with their grants, roles held by claims, rules of policy files',
  access: 'reviews:read',
  query: z.strictObject({
    /** Id or name. */
    person: nameText.optional(),
    role: nameText.optional(),
    server: nameText.optional(),
    /** `<upstream>/tools/<name>`. */
    tool: z.string().max(500).optional(),
    since: momentInput.optional(),
    after: z.string().max(2_000).optional(),
    limit: limitText,
  }),
  answer: z.object({ items: z.array(accessLine), next: z.string().nullable(), evidence }),
  async handle({ rooms, query }) {
    const { role, after, limit, since = rooms.clock.now() - usualDays * dayMs } = query
    const person = await personIdOf(rooms, query.person)
    if (isRefusal(person)) return person
    const thing = thingOf(query)
    if (isRefusal(thing)) return thing
    const at: AccessCursor | Refusal | undefined = after === undefined ? undefined : readCursor(after, cursor)
    if (isRefusal(at)) return at
    if (at === undefined) await countSoon(rooms)
    await rooms.policy.refresh()
    const page = await rooms.policy.reviews.access({ person, role, thing, since }, { cursor: at, limit })
    const horizon = await rooms.policy.reviews.horizon()
    return { items: page.lines.map(showAccess), next: writeCursor(page.next), evidence: showEvidence(horizon, since) }
  },
})

const unused = route({
  method: 'GET',
  path: '/reviews/unused',
  summary: 'which roles, grants, rules and assignments let no call pass in the period, and what would have been enough',
  access: 'reviews:read',
  query: z.strictObject({ since: momentInput.optional(), after: z.string().max(2_000).optional(), limit: limitText }),
  answer: z.object({ items: z.array(unusedLine), next: z.string().nullable(), evidence }),
  async handle({ rooms, query }) {
    const { after, limit, since = rooms.clock.now() - usualDays * dayMs } = query
    const at = after === undefined ? undefined : readCursor(after, unusedCursor)
    if (isRefusal(at)) return at
    if (at === undefined) await countSoon(rooms)
    await rooms.policy.refresh()
    const page = await rooms.policy.reviews.unused(since, { cursor: at, limit })
    return {
      items: page.lines.map(showUnused),
      next: writeCursor(page.next),
      evidence: showEvidence(page.horizon, since),
    }
  },
})

export const reviewRoutes = [access, unused]
