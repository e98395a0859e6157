/**
 * What would have become of the calls of the past under another policy?
 * Stops: a change whose effect nobody saw before; a replay that fills the memory or starves the calls.
 * Trusts: the ledger for what happened; `decide` for what would have.
 * Fails: a call that cannot be judged again is counted as such, with why, and never as unchanged.
 * @see docs/decisions/0046-replay-reads-what-was-judged.md
 */
import type { Entry, Ledger } from '#audit'
import type { Policy } from '../policy.ts'
import { judgeCall, type Judged, type Judgement } from './judge-call.ts'
import { type Budget, createPace, usualBudget } from './pace.ts'
import { createMeter, type Progress } from './progress.ts'
import { readCalls, seqAt, wasAllowed } from './read-calls.ts'
import { createPrincipals, readRecorded } from './recorded-call.ts'
import { type Change, createTotals, type Totals } from './totals.ts'

/** Which calls are replayed. */
export interface ReplayFilter {
  /** Wall-clock milliseconds since the epoch, the first included. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** A person's id. */
  readonly person?: string | undefined
  readonly upstream?: string | undefined
  /** Name of a tool. */
  readonly tool?: string | undefined
  /** As it was then. */
  readonly decision?: 'allowed' | 'denied' | undefined
  readonly mostCalls?: number | undefined
  /** Only entries with a lower `seq`: where another replay stopped. */
  readonly before?: number | undefined
}

/** A call that would be decided otherwise, or of which nobody can tell. */
export interface ChangedCall {
  readonly kind: 'change'
  readonly change: Change
  readonly seq: number
  readonly time: string
  readonly exchange: string
  readonly person: { readonly id: string; readonly name: string }
  readonly target: NonNullable<Entry['target']>
  readonly method: string
  readonly before: { readonly judged: Judged; readonly rules: readonly string[]; readonly snapshot: number }
  readonly after: Judgement
  /** What the policy in force says of the same call: where it says the same as the draft, the draft changes nothing. */
  readonly inForce: Judged
}

/** Counts of calls. */
export interface ReplayCounts {
  /** Calls that were looked at. */
  readonly calls: number
  readonly unchanged: number
  readonly loosened: number
  readonly tightened: number
  /** The ledger masks what the decision rests on. */
  readonly untold: number
  /** The ledger does not hold what the decision was made from. */
  readonly notRecorded: number
}

export type ReplayLine =
  | ChangedCall
  | ({ readonly kind: 'progress'; readonly counts: ReplayCounts } & Progress)
  | ({
      readonly kind: 'summary'
      readonly counts: ReplayCounts
      readonly ended: 'whole' | 'most-calls' | 'stopped'
      readonly totals: ReturnType<Totals['read']>
    } & Progress)

export interface Replaying {
  readonly ledger: Pick<Ledger, 'read' | 'state'>
  /** Of the draft. */
  readonly decide: Policy['decide']
  readonly inForce: Policy['decide']
  readonly filter: ReplayFilter
  readonly signal: AbortSignal
  readonly budget?: Budget
}

type Counting = { -readonly [Name in keyof ReplayCounts]: number }

function isAsked({ target, event }: Entry, filter: ReplayFilter): boolean {
  const { upstream, tool, decision } = filter
  if (upstream !== undefined && target?.upstream !== upstream) return false
  if (tool !== undefined && !(target?.kind === 'tool' && target.name === tool)) return false
  return decision === undefined || decision === (event === 'call.intended' ? 'allowed' : 'denied')
}

/** Rules and snapshot of the decision as it was recorded. */
export function decidedThen({ details = {} }: Entry): { readonly rules: readonly string[]; readonly snapshot: number } {
  const { rules, reasons, snapshot } = details
  const given = Array.isArray(rules)
    ? rules
    : Array.isArray(reasons)
      ? reasons.map((reason: { rule?: unknown } | null) => reason?.rule)
      : []
  return { rules: given.map(String), snapshot: typeof snapshot === 'number' ? snapshot : 0 }
}

function changeOf(entry: Entry, judged: Judged): Change | undefined {
  if (judged === 'untold') return 'untold'
  if ((judged === 'allowed') === wasAllowed(entry)) return undefined
  return judged === 'allowed' ? 'loosened' : 'tightened'
}

function changedCall(entry: Entry, change: Change, after: Judgement, inForce: Judged): ChangedCall | undefined {
  const { seq, time, exchange = '', principal: person, target, details = {} } = entry
  if (person === undefined || target === undefined) return undefined
  const judged = wasAllowed(entry) ? 'allowed' : 'denied'
  const method = typeof details['method'] === 'string' ? details['method'] : ''
  const before = { judged, ...decidedThen(entry) } as const
  return { kind: 'change', change, seq, time, exchange, person, target, method, before, after, inForce }
}

/** Makes the function that judges one call and counts it. */
function createJudging({ decide, inForce }: Replaying) {
  const counts: Counting = { calls: 0, unchanged: 0, loosened: 0, tightened: 0, untold: 0, notRecorded: 0 }
  const totals = createTotals()
  const principals = createPrincipals()
  return {
    counts,
    totals,
    judge(entry: Entry): ChangedCall | undefined {
      counts.calls += 1
      const recorded = readRecorded(entry, principals)
      const { principal: person, target } = entry
      if (typeof recorded === 'string' || person === undefined || target === undefined) {
        counts[recorded === 'masked' ? 'untold' : 'notRecorded'] += 1
        return undefined
      }
      const after = judgeCall(decide, recorded)
      const change = changeOf(entry, after.judged)
      if (change === undefined) {
        counts.unchanged += 1
        return undefined
      }
      counts[change] += 1
      const changed = changedCall(entry, change, after, judgeCall(inForce, recorded).judged)
      // WHY: a change is the doing of what would decide as much as of what decided.
      const rules = [...after.reasons.map(({ rule }) => rule), ...(changed?.before.rules ?? [])]
      const tool = [target.upstream, target.name].filter((name) => name !== undefined).join('/')
      totals.count(change, { person: person.name, tool, rules })
      return changed
    },
  }
}

async function boundsOf({ ledger, filter }: Replaying): Promise<{ first: number; before: number }> {
  const { since, until, before = ledger.state().size + 1 } = filter
  const [first, end] = await Promise.all([
    since === undefined ? 1 : seqAt(ledger, since),
    until === undefined ? before : seqAt(ledger, until),
  ])
  return { first, before: Math.min(before, end) }
}

/**
 * Judges recorded calls again, newest first. What changes is told at once; how far it has come, every second; at the end
 * a summary, also where it was stopped. `before` of the last line is where another replay goes on.
 */
export async function* replay(replaying: Replaying): AsyncGenerator<ReplayLine> {
  const { ledger, filter, signal, budget = usualBudget } = replaying
  const { counts, totals, judge } = createJudging(replaying)
  const bounds = await boundsOf(replaying)
  const meter = createMeter({ ...bounds, mostCalls: filter.mostCalls })
  const rest = createPace(budget, signal)
  let ended: 'whole' | 'most-calls' | 'stopped' = 'whole'
  for await (const entry of readCalls(ledger, { before: bounds.before, person: filter.person })) {
    if (entry.seq < bounds.first) break
    if (counts.calls === filter.mostCalls) ended = 'most-calls'
    if (signal.aborted) ended = 'stopped'
    if (ended !== 'whole') break
    if (isAsked(entry, filter)) {
      const changed = judge(entry)
      if (changed !== undefined) yield changed
    }
    meter.reach(entry.seq)
    if (meter.isDue()) yield { kind: 'progress', counts: { ...counts }, ...meter.read(counts.calls) }
    await rest()
  }
  if (ended === 'whole') meter.reach(bounds.first)
  yield { kind: 'summary', counts: { ...counts }, ended, totals: totals.read(), ...meter.read(counts.calls) }
}
