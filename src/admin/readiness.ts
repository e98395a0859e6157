import type { Rooms } from './rooms.ts'

/** May traffic be sent here? The public answer: which part is not ready, never why. */
export interface Readiness {
  readonly status: 'ready' | 'not-ready'
  readonly checks: { readonly ledger: boolean; readonly policy: boolean }
}

/** Ready means: the ledger can be written and the rules in force can be read. */
export async function readiness(rooms: Rooms): Promise<Readiness> {
  const ledger = rooms.ledger.state().isWritable
  let policy = true
  try {
    await rooms.policy.refresh()
  } catch {
    policy = false
  }
  return { status: ledger && policy ? 'ready' : 'not-ready', checks: { ledger, policy } }
}
