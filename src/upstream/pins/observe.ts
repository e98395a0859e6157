/**
 * What did an upstream offer that was not seen before, and is it on record?
 *
 * Stops: changes that nobody hears of; an upstream that fills the database with what it says of itself.
 * Trusts: nothing that is offered.
 * Fails: with a Fault of the database or ledger; then nothing was recorded.
 */
import { sql, type Kysely } from 'kysely'
import type { EventDefinition, Ledger } from '#audit'
import type { Clock } from '#kernel'
import type { Tables } from '#platform/database'
import { readTool, type OfferedTool } from '../definition.ts'
import { upstreamEvents } from '../events.ts'
import type { Register } from '../register.ts'
import { approvedTools } from './describe.ts'
import { knowTools, type KnownTools } from './likeness.ts'
import { readKept, type Examiner } from './warnings.ts'

/** Tools kept for one upstream; what it offers beyond stays unapproved and so hidden. */
export const maxPinsPerUpstream = 1000
/** Of definitions last seen, kept for one upstream; of those beyond, the name and hash are kept. */
export const maxSeenBytes = 8 * 1024 * 1024

const rowsPerStatement = 100
const maxReasonsOnRecord = 20

/** Each name once. Of two tools with one name the last is recorded; whichever was not approved stays hidden by its own hash. */
export function offeredOnce(tools: readonly unknown[]): OfferedTool[] {
  const offered = new Map<string, OfferedTool>()
  for (const definition of tools) {
    const tool = readTool(definition)
    if (tool !== undefined) offered.set(tool.tool, tool)
  }
  return [...offered.values()]
}

interface Row {
  readonly tool: string
  readonly approved_hash: string | null
  readonly seen_hash: string
  readonly bytes: number
}

function eventOf(row: Row | undefined, seenHash: string): EventDefinition {
  if (row === undefined || row.approved_hash === null) return upstreamEvents.toolAppeared
  return row.approved_hash === seenHash ? upstreamEvents.toolRestored : upstreamEvents.toolChanged
}

async function rowsOf(transaction: Kysely<Tables>, upstream: string): Promise<Map<string, Row>> {
  const rows = await transaction
    .selectFrom('tool_pins')
    .select(['tool', 'approved_hash', 'seen_hash', sql<number>`length(seen_definition)`.as('bytes')])
    .where('upstream', '=', upstream)
    .execute()
  return new Map(rows.map((row) => [row.tool, { ...row, bytes: Number(row.bytes) }]))
}

/** What is new of an offer, cut to what is kept. */
function newsOf(rows: ReadonlyMap<string, Row>, offered: readonly OfferedTool[]): OfferedTool[] {
  let room = maxPinsPerUpstream - rows.size
  const news = offered.filter(({ tool, hash }) => {
    const row = rows.get(tool)
    return row === undefined ? room-- > 0 : row.seen_hash !== hash
  })
  const replaced = new Set(news.map(({ tool }) => tool))
  let bytes = 0
  for (const row of rows.values()) if (!replaced.has(row.tool)) bytes += row.bytes
  return news.map((offer) => {
    bytes += offer.canonical.length
    return bytes <= maxSeenBytes ? offer : { ...offer, canonical: JSON.stringify({ name: offer.tool }) }
  })
}

interface Offer {
  readonly upstream: string
  readonly news: readonly OfferedTool[]
  readonly nowMs: number
}

async function see(transaction: Kysely<Tables>, { upstream, news, nowMs }: Offer): Promise<void> {
  const rows = news.map(({ tool, hash, canonical }) => ({
    upstream,
    tool,
    seen_hash: hash,
    seen_definition: canonical,
    seen_at: nowMs,
  }))
  await transaction
    .insertInto('tool_pins')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['upstream', 'tool']).doUpdateSet((row) => ({
        seen_hash: row.ref('excluded.seen_hash'),
        seen_definition: row.ref('excluded.seen_definition'),
        seen_at: row.ref('excluded.seen_at'),
      })),
    )
    .execute()
}

const knownBy = new WeakMap<Register, KnownTools>()

/** What is approved, prepared once for each reading of the database. */
function knownOf(register: Register): KnownTools {
  const prepared = knownBy.get(register) ?? knowTools(approvedTools(register))
  knownBy.set(register, prepared)
  return prepared
}

/** What speaks against each offer, by its hash. */
export type Reasons = ReadonlyMap<string, readonly string[]>

/** Weighs offers before anything is written, so that nobody waits for it. */
export async function weighOffer(
  { register, examiner }: { readonly register: Register; readonly examiner: Examiner },
  upstream: string,
  offered: readonly OfferedTool[],
): Promise<Reasons> {
  const candidates = offered.map(({ tool, hash, canonical }) => {
    const approved = register.pins.get(upstream)?.get(tool)?.approvedDefinition
    return { upstream, tool, ...readKept(canonical, hash), approved }
  })
  const warnings = await examiner.warningsOf(candidates, knownOf(register))
  return new Map(
    candidates.map(({ hash }, index) => {
      const keys = (warnings[index] ?? []).map(({ key }) => key)
      return [hash, [...new Set(keys)].slice(0, maxReasonsOnRecord)] as const
    }),
  )
}

/** Writes what was offered, and tells the ledger where it differs from what was seen, and what speaks against it. */
export async function recordOffer(
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Clock },
  transaction: Kysely<Tables>,
  { upstream, offered, reasons }: { upstream: string; offered: readonly OfferedTool[]; reasons: Reasons },
): Promise<void> {
  const there = transaction.selectFrom('upstreams').select('name').where('name', '=', upstream)
  if ((await there.executeTakeFirst()) === undefined) return
  const rows = await rowsOf(transaction, upstream)
  const news = newsOf(rows, offered)
  for (let at = 0; at < news.length; at += rowsPerStatement) {
    await see(transaction, { upstream, news: news.slice(at, at + rowsPerStatement), nowMs: clock.now() })
  }
  // INVARIANT: the change is committed only after the ledger has it.
  const entries = news.map((offer) => {
    const row = rows.get(offer.tool)
    const against = reasons.get(offer.hash) ?? []
    const details = { seenHash: offer.hash, approvedHash: row?.approved_hash ?? null, reasons: against }
    const target = { upstream, kind: 'tool' as const, name: offer.tool }
    return ledger.append(eventOf(row, offer.hash), { target, outcome: 'succeeded', details })
  })
  await Promise.all(entries)
}
