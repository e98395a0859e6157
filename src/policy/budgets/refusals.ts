/**
 * Why is a call beyond a budget, and a budget not taken?
 * Stops: free-text refusals that nobody can branch on.
 * Trusts: nothing.
 * Fails: at compile time, when a code is used that is not listed here.
 */
import { defineRefusals } from '#kernel'

export const budgetRefusals = defineRefusals({
  spent: {
    code: 'policy.budget-spent',
    says: 'the budget of {limit} is spent; it is filled again at {refill}',
    hint: 'wait until then, or ask an administrator for more',
    status: 429,
  },
  unknown: {
    code: 'policy.budget-unknown',
    says: 'there is no budget {budget}',
    hint: '`castellan budget list` shows the budgets there are',
    status: 404,
  },
  subjectInvalid: {
    code: 'policy.budget-subject-invalid',
    says: '{subject} cannot have a budget as {kind}',
    hint: 'name a person by id or `*` for each, a role, a tool as <upstream>/<tool>, an upstream or a bundle',
    status: 400,
  },
  amountInvalid: {
    code: 'policy.budget-amount-invalid',
    says: 'a budget, and what a tool costs, is a whole number from 0 to {limit}',
    hint: '0 lets nothing pass',
    status: 400,
  },
})
