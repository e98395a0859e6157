import type { AdminClient } from '../remote/admin-client.ts'
import { base, itemsOf, segment } from '../remote/api.ts'

export interface BudgetLine {
  readonly id: string
  readonly kind: string
  readonly subject: string
  readonly meter: string
  readonly period: string
  readonly amount: number
}

export interface BudgetState extends BudgetLine {
  readonly startsAt: string
  readonly endsAt: string
  readonly taken: readonly { readonly holder: string; readonly taken: number }[]
}

/** Budgets, and what tools cost. */
export function budgetApi({ call }: AdminClient) {
  return {
    list: async () => itemsOf<BudgetLine>(await call('GET', `${base}/budgets`)),
    show: async (id: string) => (await call('GET', `${base}/budgets/${segment(id)}`)) as BudgetState,
    set: async (body: Omit<BudgetLine, 'id'>) => (await call('PUT', `${base}/budgets`, { body })) as BudgetLine,
    remove: (id: string) => call('DELETE', `${base}/budgets/${segment(id)}`),
    setCost: (body: { tool: string; units: number }) => call('PUT', `${base}/tool-costs`, { body }),
  }
}
