/**
 * How much of a budget is handed out in a window, on all nodes together?
 * Stops: two nodes that take the same share.
 * Trusts: the database to change a count only from the value that was read.
 * Fails: what the database throws is thrown.
 */
import type { Database } from '#platform/database'
import type { Account } from './accounts.ts'
import type { Window } from './windows.ts'

export interface BudgetRows {
  /** What was taken so far; of a count that is not there yet, nothing. */
  taken(account: Account): Promise<number>
  /** @returns whether the count was still `from` and is `to` by this */
  move(account: Account, from: number, to: number): Promise<boolean>
  /** By holder, the largest first. */
  read(budgetId: string, window: Window): Promise<{ holder: string; taken: number }[]>
}

const keptMs = 70 * 24 * 3_600_000

export function createBudgetRows({ query }: Pick<Database, 'query'>, now: () => number): BudgetRows {
  async function begin(row: { budget_id: string; window_at: number; holder: string }): Promise<void> {
    await query
      .deleteFrom('budget_windows')
      .where('window_at', '<', now() - keptMs)
      .execute()
    await query
      .insertInto('budget_windows')
      .values({ ...row, taken: 0 })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }

  async function taken(account: Account): Promise<number> {
    const row = { budget_id: account.budget.id, window_at: account.window.startsAt, holder: account.holder }
    const found = await query
      .selectFrom('budget_windows')
      .select('taken')
      .where('budget_id', '=', row.budget_id)
      .where('window_at', '=', row.window_at)
      .where('holder', '=', row.holder)
      .executeTakeFirst()
    if (found !== undefined) return Number(found.taken)
    await begin(row)
    return taken(account)
  }

  return {
    taken,
    async move({ budget, window, holder }, from, to) {
      const moved = await query
        .updateTable('budget_windows')
        .set({ taken: to })
        .where('budget_id', '=', budget.id)
        .where('window_at', '=', window.startsAt)
        .where('holder', '=', holder)
        .where('taken', '=', from)
        .returning('taken')
        .executeTakeFirst()
      return moved !== undefined
    },
    async read(budgetId, window) {
      const rows = await query
        .selectFrom('budget_windows')
        .select(['holder', 'taken'])
        .where('budget_id', '=', budgetId)
        .where('window_at', '=', window.startsAt)
        .orderBy('taken', 'desc')
        .limit(1_000)
        .execute()
      return rows.map(({ holder, taken: count }) => ({ holder, taken: Number(count) }))
    },
  }
}
