import type { LedgerQuery } from '#audit'
import { isRefusal, refuse, type Principal } from '#kernel'
import { z } from 'zod'
import { recheckAccess } from '../access.ts'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { listOf, nameText } from '../shapes.ts'

const maxEntries = 1000
const maxWaitSeconds = 25

const seq = z.coerce.number().int().min(0)

const entry = z.object({
  seq: z.number(),
  id: z.string(),
  time: z.string(),
  event: z.string(),
  outcome: z.string(),
  exchange: z.string().optional(),
  principal: z.object({ id: z.string(), name: z.string() }).optional(),
  address: z.string().optional(),
  target: z.object({ upstream: z.string(), kind: z.string(), name: z.string().optional() }).optional(),
  refusal: z.string().optional(),
  durationMs: z.number().optional(),
  bytes: z.number().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
})

interface Wait {
  readonly rooms: Rooms
  readonly principal: Principal
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal
  readonly waitMs: number
}

/** Entries that match; when there are none, the first that come within the time. */
async function readOrWait(query: LedgerQuery, { rooms, principal, gone, waitMs }: Wait) {
  const ended = AbortSignal.any([gone, AbortSignal.timeout(waitMs)])
  for (;;) {
    // WHY: taken before the read, so that an entry that comes between the two ends the wait at once.
    const lastSeq = rooms.ledger.state().size
    const entries = await rooms.ledger.read(query)
    // INVARIANT: asked after the read: nothing recorded since the right was lost is told.
    const refusal = waitMs > 0 ? await recheckAccess(rooms, principal, 'audit:read') : undefined
    if (refusal !== undefined) return refusal
    if (entries.length > 0 || waitMs === 0 || ended.aborted) return entries
    await rooms.ledger.waitBeyond(lastSeq, waitMs, ended)
  }
}

const read = route({
  method: 'GET',
  path: '/audit',
  summary: 'entries of the ledger, oldest first; `waitSeconds` waits for the first that comes',
  access: 'audit:read',
  query: z.strictObject({
    after: seq.optional(),
    before: seq.optional(),
    limit: z.coerce.number().int().min(1).max(maxEntries).default(100),
    event: nameText.optional(),
    /** Id or name. */
    person: nameText.optional(),
    exchange: nameText.optional(),
    refusal: nameText.optional(),
    waitSeconds: z.coerce.number().min(0).max(maxWaitSeconds).default(0),
  }),
  answer: listOf(entry),
  async handle({ rooms, principal, query, signal }) {
    const { waitSeconds, ...asked } = query
    const person = asked.person === undefined ? undefined : await rooms.identity.people.find(asked.person)
    const wait = { rooms, principal, gone: signal, waitMs: Math.ceil(waitSeconds * 1000) }
    const entries = await readOrWait({ ...asked, person: person?.id ?? asked.person }, wait)
    return isRefusal(entries) ? entries : { items: entries }
  },
})

const state = route({
  method: 'GET',
  path: '/audit/state',
  summary: 'how many entries there are and whether more can be written',
  access: 'audit:read',
  answer: z.object({ isWritable: z.boolean(), size: z.number() }),
  handle: async ({ rooms }) => rooms.ledger.state(),
})

const checkpoint = route({
  method: 'GET',
  path: '/audit/checkpoint',
  summary: 'the newest signed head of the ledger, a C2SP checkpoint, and the public key it is verified with',
  access: 'audit:read',
  answer: z.object({ checkpoint: z.string(), publicKey: z.string() }),
  async handle({ rooms: { ledger } }) {
    return { checkpoint: (await ledger.checkpoint()) ?? '', publicKey: ledger.publicKey }
  },
})

const proofText = z.object({ proof: z.string() })

const proof = route({
  method: 'GET',
  path: '/audit/proof',
  summary: 'what shows that an entry is in the ledger, entry included: a C2SP tlog-proof under the newest signed head',
  access: 'audit:read',
  query: z.strictObject({ seq: seq.min(1) }),
  answer: proofText,
  async handle({ rooms, query }) {
    const text = await rooms.ledger.prove(query)
    return text === undefined ? refuse(refusals.entryUnknown, { names: { seq: String(query.seq) } }) : { proof: text }
  },
})

const consistency = route({
  method: 'GET',
  path: '/audit/consistency',
  summary: 'what shows that the ledger begins with the entries that it had before, under the newest signed head',
  access: 'audit:read',
  query: z.strictObject({ from: seq }),
  answer: proofText,
  async handle({ rooms, query }) {
    const text = await rooms.ledger.prove(query)
    return text === undefined ? refuse(refusals.entryUnknown, { names: { seq: String(query.from) } }) : { proof: text }
  },
})

export const auditRoutes = [read, state, checkpoint, proof, consistency]
