/**
 * Has this call anything left of the budgets of its person, roles, tool, server and bundle?
 * Stops: calls beyond a budget, on all nodes together, before they are on record as intended.
 * Trusts: policy's budgets; an allowed call.
 * Fails: when nothing can be taken out of the database, the guard throws and the call is refused.
 */
import { isRefusal } from '#kernel'
import type { Policy } from '#policy'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Authorized } from './authorize-call.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

export interface Spent {
  /** What is told how the call ends; undefined where no budget concerns it. */
  readonly spending: { giveBack(): void; answered(bytes: number): void } | undefined
}

type Needs = Arrival & Authenticated & Inbound & Aim & Authorized

const spends: ReadonlySet<string | undefined> = new Set(['tools/call', 'resources/read', 'prompts/get'])
const bundlePath = /^\/bundles\/([^/]+)\/mcp$/
const free: Spent = { spending: undefined }

export function spendBudget(policy: { readonly budgets: Pick<Policy['budgets'], 'spend'> }): Guard<Needs, Spent> {
  return {
    name: 'spend-budget',
    check({ principal, target, message, joint }) {
      if (!spends.has(message?.method)) return free
      const bundle = joint === undefined ? undefined : bundlePath.exec(joint.address)?.[1]
      const spending = policy.budgets.spend({ principal, target, bundle })
      if (spending === undefined) return free
      if (spending instanceof Promise) return spending.then((later) => (isRefusal(later) ? later : { spending: later }))
      return isRefusal(spending) ? spending : { spending }
    },
  }
}
