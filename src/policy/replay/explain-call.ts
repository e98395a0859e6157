/**
 * Why was a call of the past allowed or denied, and what does the policy in force say of it?
 * Stops: an explanation by rules that were not in force then.
 * Trusts: the ledger for what was decided; the hash of the snapshot of then.
 * Fails: what is not on record is said to be missing, and nothing is made up in its place.
 */
import type { Entry, Ledger } from '#audit'
import { refuse, type Refusal } from '#kernel'
import { isObject } from '#protocol'
import { compileAside } from '../cedar/aside/compile-aside.ts'
import { createDecide, type Deciding } from '../decide.ts'
import { prepareInSlices } from '../snapshot/load.ts'
import { readKept, type Rows } from '../snapshot/store.ts'
import { type ExplainedRule, explainDecision, type Explanation } from './explain-decision.ts'
import { answerTo, questionsOf } from './questions-then.ts'
import { isDecided, wasAllowed } from './read-calls.ts'
import { readRecorded, type RecordedCall, type Untold } from './recorded-call.ts'
import { replayRefusals } from './refusals.ts'
import { decidedThen } from './replay.ts'

/** Why there is nothing to say. */
export type Missing =
  | Untold
  /** What the snapshot was made from is not kept, or this program does not read it. */
  | 'snapshot-unreadable'

export interface ExplainedCall {
  readonly entry: Entry
  readonly wasAllowed: boolean
  /** The guard that refused it, where it was not policy that did. */
  readonly refusedBy?: string
  readonly snapshot: number
  /** As recorded then. */
  readonly recorded: readonly ExplainedRule[]
  /** By the rules of then, of each thing that the call needed up to the first denial. */
  readonly past: readonly Explanation[] | Missing
  /** By the rules in force, the same. */
  readonly inForce: readonly Explanation[] | Untold
}

function recordedRules(entry: Entry): ExplainedRule[] {
  const { reasons } = entry.details ?? {}
  if (!Array.isArray(reasons)) return decidedThen(entry).rules.map((rule) => ({ rule, says: '' }))
  return reasons.filter(isObject).map(({ rule, says, place, inputs }) => ({
    rule: String(rule),
    says: String(says),
    ...(typeof place === 'string' && { place }),
    ...(isObject(inputs) && { inputs }),
  }))
}

/** Everything that the call needed, up to the first that is denied. */
function explainAll(deciding: Deciding, call: RecordedCall): Explanation[] {
  const explained: Explanation[] = []
  for (const question of questionsOf(call)) {
    const explanation = explainDecision(deciding, question)
    const { isAllowed, mayDepend } = answerTo(createDecide(deciding), question)
    explained.push({ ...explanation, isAllowed, mayDepend })
    if (!isAllowed && !mayDepend) break
  }
  return explained
}

async function decidingThen(rows: Rows, version: number, deciding: Deciding): Promise<Deciding | undefined> {
  if (deciding.current()?.version === version) return deciding
  const kept = await readKept(rows, version)
  if (kept?.document === undefined) return undefined
  const compilation = await compileAside(kept.document, version)
  if (!compilation.isValid) return undefined
  const loaded = await prepareInSlices(kept, compilation.policy)
  return { ...deciding, current: () => loaded }
}

async function findBySeq(ledger: Pick<Ledger, 'read'>, seq: number): Promise<Entry | undefined> {
  const [entry] = await ledger.read({ after: seq - 1, limit: 1 })
  return entry?.seq === seq ? entry : undefined
}

const isOfCall = ({ event }: Entry): boolean => event === 'call.intended' || event === 'call.refused'

/** The decision on the call that an entry belongs to. @param named its number, or the id of an exchange */
async function findDecision(ledger: Pick<Ledger, 'read'>, named: string): Promise<Entry | undefined> {
  const entry = /^\d{1,15}$/.test(named) && Number(named) > 0 ? await findBySeq(ledger, Number(named)) : undefined
  if (entry !== undefined && isOfCall(entry)) return entry
  const exchange = entry === undefined ? named : entry.exchange
  const entries = exchange === undefined ? [] : await ledger.read({ exchange, limit: 100 })
  return entries.find(isOfCall)
}

export interface ExplainNeeds {
  readonly rows: Rows
  readonly ledger: Pick<Ledger, 'read'>
  readonly deciding: Deciding
}

/** @param named the number of an entry, or the id of an exchange */
export async function explainCall(needs: ExplainNeeds, named: string): Promise<ExplainedCall | Refusal> {
  const { rows, ledger, deciding } = needs
  const entry = await findDecision(ledger, named)
  if (entry === undefined) return refuse(replayRefusals.entryUnknown, { names: { entry: named } })
  const { snapshot } = decidedThen(entry)
  const { guard } = entry.details ?? {}
  const refusedBy = isDecided(entry) || typeof guard !== 'string' ? undefined : guard
  const told = { entry, wasAllowed: wasAllowed(entry), snapshot, recorded: recordedRules(entry) }
  const call = readRecorded(entry)
  if (typeof call === 'string') {
    return { ...told, past: call, inForce: call, ...(refusedBy !== undefined && { refusedBy }) }
  }
  const before = await decidingThen(rows, snapshot, deciding)
  return {
    ...told,
    ...(refusedBy !== undefined && { refusedBy }),
    past: before === undefined ? 'snapshot-unreadable' : explainAll(before, call),
    inForce: explainAll(deciding, call),
  }
}
