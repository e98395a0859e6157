import type { Milliseconds } from '../tables.ts'

export interface BudgetTables {
  budgets: {
    id: string
    kind: 'principal' | 'role' | 'tool' | 'upstream' | 'bundle'
    /** A person id, or `*` for every principal by itself; a role; `<upstream>/<tool>`; an upstream; a bundle. */
    subject: string
    meter: 'calls' | 'bytes' | 'units'
    period: 'hour' | 'day' | 'month'
    amount: number
    set_at: Milliseconds
    set_by: string
  }
  /** What nodes took out of a budget in one window, to spend it themselves. */
  budget_windows: {
    budget_id: string
    window_at: Milliseconds
    /** Whose count it is where each principal has its own; else empty. */
    holder: string
    taken: number
  }
  /** What one call of a tool costs; those that are not listed cost one unit. */
  tool_costs: {
    upstream: string
    tool: string
    units: number
  }
}
