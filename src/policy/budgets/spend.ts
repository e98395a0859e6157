/**
 * Has this call anything left of every budget that concerns it?
 * Stops: a call beyond a budget, on whatever node, by whatever way.
 * Trusts: the accounts; the caller to say how the call ended.
 * Fails: what cannot be taken is refused; what was taken for a call that did not happen is given back.
 */
import { refuse, type Refusal } from '#kernel'
import { type Account, type Accounts, use, type Wanted } from './accounts.ts'
import type { Budget } from './budget.ts'
import { type BudgetIndex, budgetsOf, type Spender, unitsOf } from './index-budgets.ts'
import { budgetRefusals } from './refusals.ts'
import type { Window } from './windows.ts'

/** What a call used of budgets. */
export interface Spending {
  /** The call did not happen: nothing was used. */
  giveBack(): void
  /** Its arguments and its answer had so many bytes. */
  answered(bytes: number): void
}

export interface SpendNeeds {
  readonly accounts: Accounts
  readonly windowOf: (budget: Budget) => Window
  readonly now: () => number
}

interface Used {
  readonly account: Account
  readonly wanted: Wanted
}

function nameOf({ kind, subject }: Budget): string {
  return kind === 'principal' ? 'yours' : `${kind} ${subject}`
}

function spent({ budget, window }: Account, nowMs: number): Refusal {
  const { id, amount, meter, period } = budget
  const limit = `${amount} ${meter} per ${period}, ${nameOf(budget)}`
  return refuse(budgetRefusals.spent, {
    names: { limit, refill: new Date(window.endsAt).toISOString() },
    detail: { budget: id, meter, amount, period },
    retryAfterSeconds: Math.max(1, Math.ceil((window.endsAt - nowMs) / 1_000)),
  })
}

/** WHY: how many bytes an answer has is known when it was sent; until then one must be left. */
function wantedOf({ meter }: Budget, units: number): Wanted {
  if (meter === 'bytes') return { amount: 1, used: 0 }
  const amount = meter === 'calls' ? 1 : units
  return { amount, used: amount }
}

function giveBack(taken: readonly Used[]): void {
  for (const { account, wanted } of taken) account.left += wanted.used
}

function spendingOf(taken: readonly Used[], accounts: Accounts): Spending {
  return {
    giveBack: () => giveBack(taken),
    answered(bytes) {
      for (const { account } of taken) {
        if (account.budget.meter !== 'bytes') continue
        account.left -= bytes
        // WHY: what was used beyond is on the common count before the next call asks; a failure is made up for by that one.
        if (account.left < 0) accounts.take(account, { amount: 0, used: 0 }).catch(() => undefined)
      }
    },
  }
}

async function spendLater(all: readonly Used[], { accounts, now }: SpendNeeds): Promise<Spending | Refusal> {
  const taken: Used[] = []
  try {
    for (const each of all) {
      const { account, wanted } = each
      const isThere = use(account, wanted) || (!account.isEmpty && (await accounts.take(account, wanted)))
      if (!isThere) {
        giveBack(taken)
        return spent(account, now())
      }
      taken.push(each)
    }
  } catch (thrown) {
    giveBack(taken)
    throw thrown
  }
  return spendingOf(taken, accounts)
}

/** Spends for one call, at once where this node has enough of everything. @returns undefined where no budget concerns it */
export function spend(
  index: BudgetIndex,
  spender: Spender,
  needs: SpendNeeds,
): Spending | undefined | Refusal | Promise<Spending | Refusal> {
  if (index.bySubject.size === 0) return undefined
  const concerned = budgetsOf(index, spender)
  if (concerned.length === 0) return undefined
  const { accounts, windowOf } = needs
  const units = unitsOf(index, spender.target)
  const all = concerned.map((one) => ({
    account: accounts.of(one, windowOf(one.budget)),
    wanted: wantedOf(one.budget, units),
  }))
  if (!all.every(({ account, wanted }) => account.left >= wanted.amount)) return spendLater(all, needs)
  for (const { account, wanted } of all) use(account, wanted)
  return spendingOf(all, accounts)
}
