/**
 * What of budgets goes to the ledger?
 * Stops: a limit that changes without a record.
 * Trusts: audit to resolve only when the entry is durable.
 * Fails: without a record the change is rolled back.
 */
import { defineEvent } from '#audit'

export const budgetEvents = {
  set: defineEvent({ name: 'budget.set', says: 'a budget was made, or its amount changed' }),
  removed: defineEvent({ name: 'budget.removed', says: 'a budget was removed' }),
  costSet: defineEvent({ name: 'budget.cost-set', says: 'what a call of a tool costs was changed' }),
  nearlySpent: defineEvent({
    name: 'budget.nearly-reached',
    says: 'four fifths of a budget were handed out in its window',
  }),
} as const
