/**
 * Which tool definitions has a person approved, and what do the upstreams offer instead?
 *
 * Stops: new tools that expose themselves, approved tools that change afterwards, approval of something not looked at.
 * Trusts: the caller to have decided that `by` may do this.
 * Fails: with a Refusal, or a Fault of the database or ledger; then nothing has changed.
 */
import type { Kysely, Selectable } from 'kysely'
import { refuse, type Clock, type Principal, type Refusal } from '#kernel'
import type { EventDefinition, Ledger } from '#audit'
import type { Database, Tables } from '#platform/database'
import { readTool, type OfferedTool, type Pin } from './definition.ts'
import { upstreamEvents } from './events.ts'
import { upstreamRefusals } from './refusals.ts'
import type { Registry } from './register.ts'

/** Tools kept for one upstream; what it offers beyond stays unapproved and so hidden. */
export const maxPinsPerUpstream = 1000

const rowsPerStatement = 100

export interface Judgement {
  readonly upstream: string
  readonly tools: readonly string[] | 'all'
  readonly by: Principal
  /** By tool: the hash of the definition that was looked at. Another one is refused. */
  readonly hashes?: Readonly<Record<string, string>> | undefined
}

export interface PinStore {
  find(upstream: string, tool: string): Pin | undefined
  list(upstream: string): Pin[]
  /** Compares what an upstream offered with what was seen before and records any difference. Durable when it returns. */
  observe(upstream: string, tools: readonly unknown[]): Promise<void>
  /** Approves the definitions last seen. `all` leaves out rejected ones. All of the tools, or none. */
  approve(judgement: Judgement): Promise<Pin[] | Refusal>
  /** Rejects the definitions last seen and withdraws earlier approvals of the tools. All of the tools, or none. */
  reject(judgement: Judgement): Promise<Pin[] | Refusal>
}

export interface PinNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly registry: Registry
}

type PinRow = Selectable<Tables['tool_pins']>

/** A refusal inside a transaction: thrown so that nothing of it remains. */
class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

function offeredOnce(tools: readonly unknown[]): OfferedTool[] {
  const offered = new Map<string, OfferedTool>()
  for (const definition of tools) {
    const tool = readTool(definition)
    // WHY: of two tools with one name the last is recorded; whichever was not approved stays hidden by its own hash.
    if (tool !== undefined) offered.set(tool.tool, tool)
  }
  return [...offered.values()]
}

const unjudged = {
  approved_hash: null,
  approved_definition: null,
  approved_at: null,
  approved_by: null,
  rejected_hash: null,
}

function newsOf(row: PinRow | undefined, seenHash: string): EventDefinition {
  if (row === undefined || row.approved_hash === null) return upstreamEvents.toolAppeared
  return row.approved_hash === seenHash ? upstreamEvents.toolRestored : upstreamEvents.toolChanged
}

async function rowsOf(transaction: Kysely<Tables>, upstream: string): Promise<PinRow[]> {
  return transaction.selectFrom('tool_pins').selectAll().where('upstream', '=', upstream).orderBy('tool').execute()
}

function chosen(rows: PinRow[], { tools, hashes = {} }: Judgement): PinRow[] {
  const wanted = tools === 'all' ? rows.filter((row) => row.rejected_hash !== row.seen_hash) : []
  for (const tool of tools === 'all' ? [] : new Set(tools)) {
    const row = rows.find((candidate) => candidate.tool === tool)
    if (row === undefined) throw new Refused(refuse(upstreamRefusals.toolUnknown, { names: { tool } }))
    wanted.push(row)
  }
  for (const row of wanted) {
    const looked = Object.hasOwn(hashes, row.tool) ? hashes[row.tool] : undefined
    if (looked === row.seen_hash) continue
    // WHY: whoever sends hashes has looked at a list; a tool that is not on it was not looked at.
    if (looked === undefined && Object.keys(hashes).length === 0) continue
    throw new Refused(refuse(upstreamRefusals.definitionMoved, { names: { tool: row.tool } }))
  }
  return wanted
}

/** Writes what was offered, and tells the ledger where it differs from what was seen. */
async function record(
  { ledger, clock }: PinNeeds,
  transaction: Kysely<Tables>,
  upstream: string,
  offered: readonly OfferedTool[],
): Promise<void> {
  const exists = await transaction
    .selectFrom('upstreams')
    .select('name')
    .where('name', '=', upstream)
    .executeTakeFirst()
  if (exists === undefined) return
  const rows = new Map((await rowsOf(transaction, upstream)).map((row) => [row.tool, row]))
  let room = maxPinsPerUpstream - rows.size
  const news = offered.filter(({ tool, hash }) => {
    const row = rows.get(tool)
    return row === undefined ? room-- > 0 : row.seen_hash !== hash
  })
  for (let at = 0; at < news.length; at += rowsPerStatement) {
    await see(transaction, upstream, news.slice(at, at + rowsPerStatement), clock.now())
  }
  // INVARIANT: the change is committed only after the ledger has it.
  const entries = news.map(({ tool, hash }) => {
    const row = rows.get(tool)
    const details = { seenHash: hash, approvedHash: row?.approved_hash ?? null }
    const target = { upstream, kind: 'tool' as const, name: tool }
    return ledger.append(newsOf(row, hash), { target, outcome: 'succeeded', details })
  })
  await Promise.all(entries)
}

async function see(
  transaction: Kysely<Tables>,
  upstream: string,
  tools: readonly OfferedTool[],
  nowMs: number,
): Promise<void> {
  const rows = tools.map(({ tool, hash, canonical }) => ({
    ...unjudged,
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

/** Changes the chosen rows and records each change. All of them, or none. */
async function judge(
  { database, ledger, registry }: PinNeeds,
  judgement: Judgement,
  event: EventDefinition,
  change: (row: PinRow) => Partial<PinRow>,
): Promise<Refusal | undefined> {
  const { upstream, by } = judgement
  await registry.refresh()
  if (!registry.current.records.has(upstream)) return refuse(upstreamRefusals.unknown, { names: { name: upstream } })
  try {
    await database.transaction(async (transaction) => {
      const rows = chosen(await rowsOf(transaction, upstream), judgement)
      for (const row of rows) {
        const update = transaction.updateTable('tool_pins').set(change(row))
        await update.where('upstream', '=', upstream).where('tool', '=', row.tool).execute()
      }
      // INVARIANT: the change is committed only after the ledger has it.
      const entries = rows.map((row) => {
        const target = { upstream, kind: 'tool' as const, name: row.tool }
        return ledger.append(event, { principal: by, target, outcome: 'succeeded', details: { hash: row.seen_hash } })
      })
      await Promise.all(entries)
    })
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
  await registry.refresh()
  return undefined
}

/** Makes the store of pins over the registry's memory and the database. */
export function createPins(needs: PinNeeds): PinStore {
  const { database, clock, registry } = needs
  const list = (upstream: string): Pin[] => [...(registry.current.pins.get(upstream)?.values() ?? [])]
  return {
    find: (upstream, tool) => registry.current.pins.get(upstream)?.get(tool),
    list,
    async observe(upstream, tools) {
      const pins = registry.current.pins.get(upstream)
      const news = offeredOnce(tools).filter((offered) => pins?.get(offered.tool)?.seenHash !== offered.hash)
      if (news.length === 0) return
      await database.transaction((transaction) => record(needs, transaction, upstream, news))
      await registry.refresh()
    },
    async approve(judgement) {
      const change = (row: PinRow): Partial<PinRow> => ({
        approved_hash: row.seen_hash,
        approved_definition: row.seen_definition,
        approved_at: clock.now(),
        approved_by: judgement.by.id,
        rejected_hash: null,
      })
      return (await judge(needs, judgement, upstreamEvents.toolApproved, change)) ?? list(judgement.upstream)
    },
    async reject(judgement) {
      const change = (row: PinRow): Partial<PinRow> => ({ ...unjudged, rejected_hash: row.seen_hash })
      return (await judge(needs, judgement, upstreamEvents.toolRejected, change)) ?? list(judgement.upstream)
    },
  }
}
