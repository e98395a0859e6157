/**
 * Who sets which budgets, and what is left of them?
 * Stops: a limit that is reported and not durable, or that changes without a record.
 * Trusts: its caller to have decided that `by` may do this.
 * Fails: without an entry in the ledger nothing changes.
 */
import type { Ledger } from '#audit'
import { createId, refuse, type Clock, type Principal, type Refusal } from '#kernel'
import type { Database } from '#platform/database'
import { recordChange, type RecordEvent } from '../record-change.ts'
import { policyRefusals } from '../refusals.ts'
import type { Rows } from '../snapshot/store.ts'
import { createAccounts } from './accounts.ts'
import { type Budget, checkBudget, isToolName, maxBudgetAmount, type ProposedBudget } from './budget.ts'
import { budgetEvents } from './events.ts'
import { type BudgetIndex, readBudget, type Spender } from './index-budgets.ts'
import { budgetRefusals } from './refusals.ts'
import { spend } from './spend.ts'
import { createWindows, type Window } from './windows.ts'

/** A budget, and what was handed out of it in its window, the most first. */
export interface BudgetState extends Budget {
  readonly window: Window
  readonly taken: readonly { readonly holder: string; readonly taken: number }[]
}

export interface ToolCost {
  /** `<upstream>/<tool>` */
  readonly tool: string
  readonly units: number
}

export interface Budgets {
  /** Makes a budget, or changes the amount of the one there is for the same subject, meter and period. */
  set(budget: ProposedBudget & { readonly by: Principal }): Promise<Budget | Refusal>
  /** Refuses `policy.budget-unknown`. */
  remove(id: string, by: Principal): Promise<Budget | Refusal>
  list(): Promise<Budget[]>
  /** Refuses `policy.budget-unknown`. */
  show(id: string): Promise<BudgetState | Refusal>
  /** Says what one call of a tool costs. */
  setCost(cost: ToolCost & { readonly by: Principal }): Promise<ToolCost | Refusal>
  costs(): Promise<ToolCost[]>
  /** Spends for one call, of every budget that concerns it. As of the last refresh of policy. */
  spend(spender: Spender): ReturnType<typeof spend>
}

interface BudgetNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  /** Called after a change was committed. */
  readonly changed: () => Promise<void>
  readonly timeZone: () => string
  readonly index: () => BudgetIndex
}

type Placed = ProposedBudget & { readonly by: Principal; readonly now: number }

async function isPerson(rows: Rows, id: string): Promise<boolean> {
  return (await rows.selectFrom('people').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

async function set(rows: Rows, record: RecordEvent, { by, now, ...budget }: Placed): Promise<Budget | Refusal> {
  const { kind, subject, meter, period, amount } = budget
  if (kind === 'principal' && subject !== '*' && !(await isPerson(rows, subject))) {
    return refuse(policyRefusals.personUnknown, { names: { person: subject } })
  }
  const kept = await rows
    .insertInto('budgets')
    .values({ id: createId(now), kind, subject, meter, period, amount, set_at: now, set_by: by.id })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'subject', 'meter', 'period']).doUpdateSet({ amount, set_at: now, set_by: by.id }),
    )
    .returningAll()
    .executeTakeFirstOrThrow()
  await record(budgetEvents.set, { principal: by, details: { budget: kept.id, ...budget } })
  return readBudget(kept)
}

async function remove(rows: Rows, record: RecordEvent, { id, by }: { id: string; by: Principal }) {
  const removed = await rows.deleteFrom('budgets').where('id', '=', id).returningAll().executeTakeFirst()
  if (removed === undefined) return refuse(budgetRefusals.unknown, { names: { budget: id } })
  const { setAt: _at, setBy: _by, id: budget, ...details } = readBudget(removed)
  await record(budgetEvents.removed, { principal: by, details: { budget, ...details } })
  return readBudget(removed)
}

async function setCost(rows: Rows, record: RecordEvent, cost: ToolCost & { readonly by: Principal }) {
  const { tool: whole, units, by } = cost
  const slash = whole.indexOf('/')
  const [upstream, tool] = [whole.slice(0, slash), whole.slice(slash + 1)]
  await rows
    .insertInto('tool_costs')
    .values({ upstream, tool, units })
    .onConflict((conflict) => conflict.columns(['upstream', 'tool']).doUpdateSet({ units }))
    .execute()
  await record(budgetEvents.costSet, { principal: by, details: { upstream, tool, units } })
  return { tool: whole, units }
}

function checkCost({ tool, units }: ToolCost): Refusal | undefined {
  if (!isToolName(tool)) return refuse(budgetRefusals.subjectInvalid, { names: { subject: tool, kind: 'tool' } })
  const isAmount = Number.isSafeInteger(units) && units >= 0 && units <= maxBudgetAmount
  return isAmount ? undefined : refuse(budgetRefusals.amountInvalid, { names: { limit: String(maxBudgetAmount) } })
}

function createSpending({ database, ledger, clock, timeZone, index }: BudgetNeeds) {
  let windows = { timeZone: '', find: createWindows('UTC') }
  const now = () => clock.now()
  const windowOf = ({ period }: Budget): Window => {
    const current = timeZone()
    if (windows.timeZone !== current) windows = { timeZone: current, find: createWindows(current) }
    return windows.find(period, now())
  }
  const accounts = createAccounts({
    database,
    now,
    warn({ budget, holder, window }) {
      const { id, kind, subject, meter, period, amount } = budget
      const windowAt = new Date(window.startsAt).toISOString()
      const details = { budget: id, kind, subject, meter, period, amount, holder, windowAt }
      // WHY: the warning is for people who watch; a ledger that cannot write refuses the call by itself.
      ledger.append(budgetEvents.nearlySpent, { outcome: 'succeeded', details }).catch(() => undefined)
    },
  })
  return {
    read: accounts.read,
    windowOf,
    spend: (spender: Spender) => spend(index(), spender, { accounts, windowOf, now }),
  }
}

export function createBudgets(needs: BudgetNeeds): Budgets {
  const { database, ledger, clock, changed } = needs
  const spending = createSpending(needs)

  async function change<Result>(work: (rows: Rows, record: RecordEvent) => Promise<Result>): Promise<Result> {
    const outcome = await recordChange(database, ledger, work)
    await changed()
    return outcome
  }

  return {
    async set(budget) {
      const refusal = checkBudget(budget)
      return refusal ?? change((rows, record) => set(rows, record, { ...budget, now: clock.now() }))
    },
    remove: (id, by) => change((rows, record) => remove(rows, record, { id, by })),
    async list() {
      const rows = await database.query.selectFrom('budgets').selectAll().orderBy('id').execute()
      return rows.map(readBudget)
    },
    async show(id) {
      const row = await database.query.selectFrom('budgets').selectAll().where('id', '=', id).executeTakeFirst()
      if (row === undefined) return refuse(budgetRefusals.unknown, { names: { budget: id } })
      const budget = readBudget(row)
      const window = spending.windowOf(budget)
      return { ...budget, window, taken: await spending.read(id, window) }
    },
    async setCost(cost) {
      const refusal = checkCost(cost)
      return refusal ?? change((rows, record) => setCost(rows, record, cost))
    },
    async costs() {
      const rows = await database.query
        .selectFrom('tool_costs')
        .selectAll()
        .orderBy('upstream')
        .orderBy('tool')
        .execute()
      return rows.map(({ upstream, tool, units }) => ({ tool: `${upstream}/${tool}`, units: Number(units) }))
    },
    spend: spending.spend,
  }
}
