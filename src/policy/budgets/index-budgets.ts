/**
 * Which budgets concern a call?
 * Stops: a call that passes beside a budget because it came another way.
 * Trusts: the budgets that were loaded last.
 * Fails: nothing here can fail.
 */
import type { Principal, Target } from '#kernel'
import type { Tables } from '#platform/database'
import type { Rows } from '../snapshot/store.ts'
import type { Budget } from './budget.ts'

export interface BudgetIndex {
  /** Budgets by kind and subject; empty where there is none. */
  readonly bySubject: ReadonlyMap<string, readonly Budget[]>
  /** Units that a call of `<upstream>/<tool>` costs. */
  readonly costs: ReadonlyMap<string, number>
}

/** A call, as far as budgets go by it. */
export interface Spender {
  readonly principal: Pick<Principal, 'id' | 'roles'>
  readonly target: Target
  /** The bundle that it came to. */
  readonly bundle?: string | undefined
}

/** A budget, and whose count of it the call goes to: a principal's own, or the one of all. */
export interface Concerned {
  readonly budget: Budget
  readonly holder: string
}

export function readBudget(row: Tables['budgets']): Budget {
  const { id, kind, subject, meter, period, set_by: setBy } = row
  return { id, kind, subject, meter, period, amount: Number(row.amount), setAt: Number(row.set_at), setBy }
}

/** Everything that calls are measured by. */
export async function readBudgets(rows: Rows): Promise<BudgetIndex> {
  const budgets = (await rows.selectFrom('budgets').selectAll().execute()).map(readBudget)
  const costs = await rows.selectFrom('tool_costs').selectAll().execute()
  return {
    bySubject: Map.groupBy(budgets, ({ kind, subject }) => `${kind}:${subject}`),
    costs: new Map(costs.map(({ upstream, tool, units }) => [`${upstream}/${tool}`, Number(units)])),
  }
}

export function unitsOf({ costs }: BudgetIndex, { upstream, kind, name }: Target): number {
  return kind === 'tool' ? (costs.get(`${upstream}/${name ?? ''}`) ?? 1) : 1
}

/** The budgets of this call, each once. */
export function budgetsOf({ bySubject }: BudgetIndex, { principal, target, bundle }: Spender): Concerned[] {
  const found: Concerned[] = []
  const add = (key: string, holder: string): void => {
    for (const budget of bySubject.get(key) ?? []) found.push({ budget, holder })
  }
  add(`principal:${principal.id}`, '')
  add('principal:*', principal.id)
  for (const role of principal.roles) add(`role:${role}`, principal.id)
  add(`upstream:${target.upstream}`, '')
  if (target.kind === 'tool') add(`tool:${target.upstream}/${target.name ?? ''}`, '')
  if (bundle !== undefined) add(`bundle:${bundle}`, '')
  return found
}
