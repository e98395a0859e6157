import { isRefusal, type Principal } from '#kernel'
import type { ReplayLine } from '#policy'
import { z } from 'zod'
import { recheckAccess } from '../access.ts'
import { invalid } from '../read-fields.ts'
import type { Rooms } from '../rooms.ts'
import { streamRoute } from '../route.ts'
import { momentInput, nameText } from '../shapes.ts'
import { policyFolder } from './changes.ts'
import { maxFolderBytes } from './changes-views.ts'
import { toldRemedy } from './questions-asked.ts'

const judged = z.enum(['allowed', 'denied', 'untold'])
const target = z.object({ upstream: z.string(), kind: z.string(), name: z.string().optional() })

const change = z.object({
  kind: z.literal('change'),
  /** `untold`: the ledger masks what the decision rests on. */
  change: z.enum(['loosened', 'tightened', 'untold']),
  seq: z.number(),
  time: z.string(),
  exchange: z.string(),
  person: z.object({ id: z.string(), name: z.string() }),
  target,
  method: z.string(),
  before: z.object({ judged, rules: z.array(z.string()).readonly(), snapshot: z.number() }),
  after: z.object({
    judged,
    reasons: z.array(z.object({ rule: z.string(), says: z.string(), place: z.string().optional() })).readonly(),
    remedies: z.array(toldRemedy).readonly(),
  }),
  /** What the policy in force says of the same call. */
  inForce: judged,
})

const far = {
  counts: z.object({
    calls: z.number(),
    unchanged: z.number(),
    loosened: z.number(),
    tightened: z.number(),
    untold: z.number(),
    notRecorded: z.number(),
  }),
  /** Nothing at or above this entry is left to look at: where another replay goes on. */
  before: z.number(),
  done: z.number(),
  callsPerSecond: z.number(),
  seconds: z.number(),
  secondsLeft: z.number().optional(),
}

const counts = z
  .array(z.object({ name: z.string(), loosened: z.number(), tightened: z.number(), untold: z.number() }))
  .readonly()

const line = z.discriminatedUnion('kind', [
  change,
  z.object({ kind: z.literal('progress'), ...far }),
  z.object({
    kind: z.literal('summary'),
    ...far,
    ended: z.enum(['whole', 'most-calls', 'stopped']),
    totals: z.object({ people: counts, tools: counts, rules: counts }),
  }),
  /** Nothing comes after it. */
  z.object({ kind: z.literal('broken'), code: z.string() }),
])

/** INVARIANT: nothing is told any more once the right to read it is lost. */
async function* whileAllowed(
  { rooms, principal }: { rooms: Rooms; principal: Principal },
  lines: AsyncIterable<ReplayLine>,
): AsyncGenerator<z.input<typeof line>> {
  for await (const one of lines) {
    if (one.kind !== 'change') {
      const refusal =
        (await recheckAccess(rooms, principal, 'audit:read')) ?? (await recheckAccess(rooms, principal, 'roles:read'))
      if (refusal !== undefined) {
        yield { kind: 'broken', code: refusal.code }
        return
      }
    }
    yield one
  }
}

const replay = streamRoute({
  method: 'POST',
  path: '/policy/replay',
  summary:
    'judge the calls of the ledger by a draft or a policy folder, newest first; what would change comes line by line',
  access: 'audit:read',
  maxBodyBytes: maxFolderBytes,
  body: z.strictObject({
    draft: nameText.optional(),
    folder: z.strictObject(policyFolder).optional(),
    since: momentInput.optional(),
    until: momentInput.optional(),
    /** Id or name. */
    person: nameText.optional(),
    upstream: nameText.optional(),
    tool: nameText.optional(),
    decision: z.enum(['allowed', 'denied']).optional(),
    mostCalls: z.number().int().min(1).max(10_000_000).optional(),
    before: z.number().int().min(1).optional(),
  }),
  line,
  async handle({ rooms, principal, body, allow, signal }) {
    const refusal = allow('roles:read')
    if (refusal !== undefined) return refusal
    const { draft, folder, ...filter } = body
    const policy =
      folder !== undefined && draft === undefined
        ? { files: folder.files, isPruning: folder.prune }
        : draft !== undefined && folder === undefined
          ? { draft }
          : undefined
    if (policy === undefined) return invalid([{ pointer: '#/body/draft', detail: 'give either a draft or a folder' }])
    const person = filter.person === undefined ? undefined : await rooms.identity.people.find(filter.person)
    const asked = { ...filter, person: person?.id ?? filter.person }
    const lines = await rooms.policy.replays.replay({ by: principal, policy, filter: asked, signal })
    return isRefusal(lines) ? lines : whileAllowed({ rooms, principal }, lines)
  },
})

export const policyReplayRoutes = [replay]
