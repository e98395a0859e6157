/**
 * What does a call still need, at this moment?
 * Stops: an approver counted twice, or after they lost the role; a justification of somebody else; a consent that was taken
 * back, or was given to another rule.
 * Trusts: the transaction it reads in.
 * Fails: closed: what is not found is missing.
 */
import type { Rows } from '../snapshot/store.ts'
import type { AskedRule, Missing } from './asked-call.ts'
import { type Ask, rulesOf, standingFor } from './standing.ts'

interface Bound {
  readonly personId: string
  readonly boundTo: string
  readonly nowMs: number
}

/** The consents of a person, to this client, that are in force. */
export async function consentedRules(
  rows: Rows,
  rules: readonly AskedRule[],
  { personId, boundTo, nowMs }: Bound,
): Promise<ReadonlySet<string>> {
  const wanted = rules.filter(({ kind }) => kind === 'consent')
  if (wanted.length === 0) return new Set()
  const found = await rows
    .selectFrom('consents')
    .select(['rule', 'fingerprint'])
    .where('person_id', '=', personId)
    .where('bound_to', '=', boundTo)
    .where('expires_at', '>', nowMs)
    .where('revoked_at', 'is', null)
    .execute()
  const given = wanted.filter((rule) =>
    found.some((one) => one.rule === rule.rule && one.fingerprint === rule.fingerprint),
  )
  return new Set(given.map(({ rule }) => rule))
}

interface Counted {
  readonly missing: readonly Missing[]
  /** Who approved it and still may. */
  readonly approvers: readonly string[]
  /** Who approved it and may no more. */
  readonly lapsed: readonly string[]
}

function missingApprovals(
  { rule, approvers = { roles: [], count: 1 } }: AskedRule,
  standing: ReadonlyMap<string, ReadonlySet<string>>,
): Missing[] {
  // INVARIANT: one row for each approver and call: nobody counts twice.
  const given = [...standing.values()].filter((roles) => approvers.roles.some((role) => roles.has(role))).length
  const count = Math.max(1, approvers.count) - given
  return count > 0 ? [{ rule, kind: 'approval', count }] : []
}

/** What is missing, who counts, and who does no more. */
export async function countGiven(rows: Rows, ask: Ask, nowMs: number): Promise<Counted> {
  const rules = rulesOf(ask)
  const answers = await rows.selectFrom('remedy_answers').selectAll().where('ask_id', '=', ask.id).execute()
  const ids = answers.filter(({ deed }) => deed === 'approved').map((answer) => answer.person_id)
  const standing = await standingFor(rows, ask, { ids, nowMs })
  const consented = await consentedRules(rows, rules, { personId: ask.person_id, boundTo: ask.bound_to, nowMs })
  const justified = new Set(
    answers.filter((one) => one.deed === 'justified' && one.person_id === ask.person_id).map(({ rule }) => rule),
  )
  const missing = rules.flatMap((rule): Missing[] => {
    if (rule.kind === 'approval') return missingApprovals(rule, standing)
    const isGiven = rule.kind === 'justification' ? justified.has(rule.rule) : consented.has(rule.rule)
    return isGiven ? [] : [{ rule: rule.rule, kind: rule.kind, count: 1 }]
  })
  return { missing, approvers: [...standing.keys()], lapsed: ids.filter((id) => !standing.has(id)) }
}
