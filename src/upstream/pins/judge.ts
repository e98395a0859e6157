/**
 * Which definitions did a person approve, reject or withdraw, and did they see what they decided on?
 *
 * Stops: approval of something not looked at, of a look-alike in passing, of what cannot be approved.
 * Trusts: the caller to have decided that `by` may do this.
 * Fails: with a Refusal, or a Fault of the database or ledger; then nothing has changed.
 */
import type { Kysely, Selectable } from 'kysely'
import type { EventDefinition, Ledger } from '#audit'
import { type Classification, isRefusal, refuse, type Principal, type Refusal } from '#kernel'
import type { Database, Tables } from '#platform/database'
import { checkClassification } from '../classify/check-classification.ts'
import { upstreamRefusals } from '../refusals.ts'
import type { Registry } from '../register.ts'
import { knowTools, type KnownTool } from './likeness.ts'
import type { Reason } from './reason.ts'
import { readDefinition, readKept, type Examiner, type Kept } from './warnings.ts'

export interface Judgement {
  readonly upstream: string
  readonly tools: readonly string[] | 'all'
  readonly by: Principal
  /** By tool: the hash of the definition that was looked at. Another one is refused. */
  readonly hashes?: Readonly<Record<string, string>> | undefined
  /** By tool: the keys of the warnings that are accepted with the approval. */
  readonly despite?: Readonly<Record<string, readonly string[]>> | undefined
  /** By tool: what whoever approves says of it. */
  readonly classifications?: Readonly<Record<string, Classification>> | undefined
  /** Why an approval is withdrawn. */
  readonly note?: string | undefined
}

export type PinRow = Selectable<Tables['tool_pins']>

/** A row that is judged, with its definition and what speaks against it. */
export interface Case {
  readonly row: PinRow
  readonly kept: Kept
  readonly warnings: readonly Reason[]
}

/** A refusal inside a transaction: thrown so that nothing of it remains. */
class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

async function rowsOf(transaction: Kysely<Tables>, upstream: string): Promise<PinRow[]> {
  return transaction.selectFrom('tool_pins').selectAll().where('upstream', '=', upstream).orderBy('tool').execute()
}

/** Read in the transaction: what another node approved a moment ago counts. */
async function approvedElsewhere(transaction: Kysely<Tables>): Promise<KnownTool[]> {
  const rows = await transaction
    .selectFrom('tool_pins')
    .select(['upstream', 'tool', 'approved_definition'])
    .where('approved_definition', 'is not', null)
    .where('quarantined_at', 'is', null)
    .execute()
  return rows.map(({ upstream, tool, approved_definition: text }) => ({
    upstream,
    tool,
    definition: readDefinition(text ?? '{}'),
  }))
}

/** WHY: own entries alone: the names of tools come from outside. */
export function ownEntry<Value>(entries: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(entries, key) ? entries[key] : undefined
}

function chosen(rows: PinRow[], { tools, hashes = {} }: Judgement, isSettled: (row: PinRow) => boolean): PinRow[] {
  const isPassedOver = (row: PinRow) =>
    row.rejected_hash === row.seen_hash || row.quarantined_at !== null || isSettled(row)
  const wanted = tools === 'all' ? rows.filter((row) => !isPassedOver(row)) : []
  for (const tool of tools === 'all' ? [] : new Set(tools)) {
    const row = rows.find((candidate) => candidate.tool === tool)
    if (row === undefined) throw new Refused(refuse(upstreamRefusals.toolUnknown, { names: { tool } }))
    wanted.push(row)
  }
  for (const row of wanted) {
    const looked = ownEntry(hashes, row.tool)
    if (looked === row.seen_hash) continue
    // WHY: whoever sends hashes has looked at a list; a tool that is not on it was not looked at.
    if (looked === undefined && Object.keys(hashes).length === 0) continue
    throw new Refused(refuse(upstreamRefusals.definitionMoved, { names: { tool: row.tool } }))
  }
  return wanted
}

function refusalFor({ row, warnings }: Case, despite: readonly string[]): Refusal | undefined {
  const never = warnings.find(({ weight }) => weight === 'never')
  const options = (found: Reason) => ({ names: { tool: row.tool, reason: found.says, warning: found.key } })
  if (never !== undefined) return refuse(upstreamRefusals.toolUnapprovable, options(never))
  const unanswered = warnings.find(({ weight, key }) => weight === 'word' && !despite.includes(key))
  return unanswered === undefined ? undefined : refuse(upstreamRefusals.warningUnanswered, options(unanswered))
}

/**
 * The chosen rows with what speaks against each, beside all that is approved and all that is chosen with it. With `all`
 * those that need a word of their own are left out; by name they are refused without it.
 */
async function weigh(
  { transaction, examiner }: { transaction: Kysely<Tables>; examiner: Examiner },
  rows: PinRow[],
  judgement: Judgement,
): Promise<Case[]> {
  const weighed = rows.map((row) => {
    const kept = readKept(row.seen_definition, row.seen_hash)
    const approved = row.approved_definition === null ? undefined : readDefinition(row.approved_definition)
    return { row, kept, candidate: { upstream: row.upstream, tool: row.tool, ...kept, approved } }
  })
  const known = knowTools([
    ...(await approvedElsewhere(transaction)),
    ...weighed.map(({ candidate: { upstream, tool, definition } }) => ({ upstream, tool, definition })),
  ])
  const warnings = await examiner.warningsOf(
    weighed.map(({ candidate }) => candidate),
    known,
  )
  const cases = weighed.map(({ row, kept }, index) => ({ row, kept, warnings: warnings[index] ?? [] }))
  return cases.filter((one) => {
    const refusal = refusalFor(one, ownEntry(judgement.despite ?? {}, one.row.tool) ?? [])
    if (refusal === undefined) return true
    if (judgement.tools === 'all') return false
    throw new Refused(refusal)
  })
}

export interface JudgeNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly registry: Registry
  readonly examiner: Examiner
}

/** What a judgement does to each row, and what it says of it on record. */
export interface Verdict {
  readonly event: EventDefinition
  /** Whether the definitions have to be fit to be used. */
  readonly isApproval: boolean
  /** Whether a row is as the judgement would make it, so that `all` leaves it alone. */
  isSettled(row: PinRow): boolean
  change(one: Case): Partial<PinRow>
  details(one: Case): Readonly<Record<string, unknown>>
  /** What else is written of it, in the same transaction. */
  also?(transaction: Kysely<Tables>, one: Case): Promise<void>
}

/** Changes the chosen rows and records each change. All of them, or none. */
export async function judge(
  { database, ledger, registry, examiner }: JudgeNeeds,
  judgement: Judgement,
  verdict: Verdict,
): Promise<Refusal | undefined> {
  const { upstream, by } = judgement
  for (const given of Object.values(judgement.classifications ?? {})) {
    const checked = checkClassification(given)
    if (isRefusal(checked)) return checked
  }
  await registry.refresh()
  if (!registry.current.records.has(upstream)) return refuse(upstreamRefusals.unknown, { names: { name: upstream } })
  try {
    await database.transaction(async (transaction) => {
      const rows = chosen(await rowsOf(transaction, upstream), judgement, verdict.isSettled)
      const cases = verdict.isApproval
        ? await weigh({ transaction, examiner }, rows, judgement)
        : rows.map((row) => ({ row, kept: readKept(row.seen_definition, row.seen_hash), warnings: [] }))
      for (const one of cases) {
        const update = transaction.updateTable('tool_pins').set(verdict.change(one))
        await update.where('upstream', '=', upstream).where('tool', '=', one.row.tool).execute()
        await verdict.also?.(transaction, one)
      }
      // INVARIANT: the change is committed only after the ledger has it.
      const entries = cases.map((one) => {
        const target = { upstream, kind: 'tool' as const, name: one.row.tool }
        const details = verdict.details(one)
        return ledger.append(verdict.event, { principal: by, target, outcome: 'succeeded', details })
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
