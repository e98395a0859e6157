/**
 * Has this call anything left of the budgets of its person, roles, tool, server and bundle?
 * Stops: calls beyond a budget, on all nodes together, before they are on record as intended.
 * Trusts: policy's budgets; an allowed call.
 * Fails: when nothing can be taken out of the database, the guard throws and the call is refused.
 */
import { isRefusal, type Refusal } from '#kernel'
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

type Asking = Arrival & Authenticated & Inbound & Aim

const spends: ReadonlySet<string | undefined> = new Set(['tools/call', 'resources/read', 'prompts/get'])
const bundlePath = /^\/bundles\/([^/]+)\/mcp$/
const free: Spent = { spending: undefined }

type Policies = { readonly budgets: Pick<Policy['budgets'], 'spend'> }

/** Takes what a call costs out of every budget that concerns it, or out of none. */
export function takeBudget(policy: Policies, known: Asking): Spent | Refusal | Promise<Spent | Refusal> {
  const { principal, target, message, joint } = known
  if (!spends.has(message?.method)) return free
  const bundle = joint === undefined ? undefined : bundlePath.exec(joint.address)?.[1]
  const spending = policy.budgets.spend({ principal, target, bundle })
  if (spending === undefined) return free
  if (spending instanceof Promise) return spending.then((later) => (isRefusal(later) ? later : { spending: later }))
  return isRefusal(spending) ? spending : { spending }
}

export function spendBudget(policy: Policies): Guard<Asking & Authorized, Spent> {
  return {
    name: 'spend-budget',
    // WHY: a call that people let pass has taken it before what they gave was used up.
    check: (known) => known.budget ?? takeBudget(policy, known),
  }
}
