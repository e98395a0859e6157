/**
 * What has this node left of each budget, and how does it get more?
 * Stops: two nodes that together spend more than there is; a restart that fills a budget again.
 * Trusts: the database to change a count only from the value that was read.
 * Fails: what could not be taken out of the database is not there: the call is refused.
 */
import { Fault } from '#kernel'
import type { Database } from '#platform/database'
import type { Concerned } from './index-budgets.ts'
import { createBudgetRows } from './budget-rows.ts'
import type { Window } from './windows.ts'

/** One count of one budget in one window, as far as this node took it. */
export interface Account extends Concerned {
  readonly window: Window
  /** Taken and not used yet; below zero for bytes that were used and not taken yet. */
  left: number
  /** Everything is handed out: nothing more is to be had in this window. */
  isEmpty: boolean
  /** Set while the database is asked: one after the other. */
  taking: Promise<unknown> | undefined
}

/** What a call needs to be there, and how much of it is used up at once. */
export interface Wanted {
  readonly amount: number
  readonly used: number
}

export interface Accounts {
  /** The account of this moment. */
  of(concerned: Concerned, window: Window): Account
  /**
   * Takes a share out of the budget, with what was used beyond the last one, and uses of it.
   * @returns whether there was enough; nothing is used otherwise
   */
  take(account: Account, wanted: Wanted): Promise<boolean>
  /** What all nodes together took in this window, by holder. */
  read(budgetId: string, window: Window): Promise<{ holder: string; taken: number }[]>
}

/** WHY: a share is small against what is left, so that what other nodes hold at the end is small, too. */
const shares = 32
const mostAccounts = 10_000
const mostTries = 100
const warnedAt = 0.8

/** Uses of what this node has. @returns whether there was enough */
export function use(account: Account, { amount, used }: Wanted): boolean {
  if (account.left < amount) return false
  account.left -= used
  return true
}

export function createAccounts({
  database,
  now,
  warn,
}: {
  readonly database: Pick<Database, 'query'>
  readonly now: () => number
  /** Told once in a window, by the node that takes the share. */
  readonly warn: (account: Account) => void
}): Accounts {
  const accounts = new Map<string, Account>()
  const rows = createBudgetRows(database, now)

  async function takeShare(account: Account, wanted: Wanted): Promise<boolean> {
    const { amount } = account.budget
    for (let tries = 0; tries < mostTries; tries += 1) {
      if (account.left >= 0 && use(account, wanted)) return true
      const taken = await rows.taken(account)
      const debt = Math.max(0, -account.left)
      const rest = amount - taken - debt
      const missing = wanted.amount - Math.max(0, account.left)
      const share = rest >= missing ? Math.max(missing, Math.floor(rest / shares)) : 0
      const to = taken + debt + share
      if (to !== taken && !(await rows.move(account, taken, to))) continue
      account.left += debt + share
      if (share === 0) account.isEmpty = rest <= 0
      if (taken < amount * warnedAt && to >= amount * warnedAt) warn(account)
      return use(account, wanted)
    }
    throw new Fault('policy.unavailable', 'no share of a budget could be taken')
  }

  function forgetEnded(): void {
    if (accounts.size < mostAccounts) return
    for (const [key, { window }] of accounts) if (window.endsAt <= now()) accounts.delete(key)
  }

  function begin(key: string, concerned: Concerned, window: Window): Account {
    forgetEnded()
    const account = { ...concerned, window, left: 0, isEmpty: false, taking: undefined }
    accounts.set(key, account)
    return account
  }

  return {
    of(concerned, window) {
      const { budget, holder } = concerned
      // WHY: another amount begins another account: what was taken under the old one is not spent under the new one.
      const key = `${budget.id} ${budget.amount} ${window.startsAt} ${holder}`
      return accounts.get(key) ?? begin(key, concerned, window)
    },
    take(account, wanted) {
      const taking = (account.taking ?? Promise.resolve()).then(() => takeShare(account, wanted))
      account.taking = taking.catch(() => undefined)
      return taking
    },
    read: rows.read,
  }
}
