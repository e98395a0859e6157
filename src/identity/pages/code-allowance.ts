/**
 * May this person type one more device code? A few wrong ones in a row, then they wait, on every node.
 * Stops: guessing the code that somebody else's device shows.
 * Trusts: the throttle of sign-in, under a source of its own, so that neither delays the other.
 * Fails: an attempt that cannot be counted is not made.
 * @see RFC 8628, section 5.1
 */
import { isRefusal, type Principal, type Refusal } from '#kernel'
import type { Parts } from '../parts.ts'
import { createThrottle } from '../sign-in/throttle.ts'

export interface CodeAllowance {
  /** Counts the attempt as wrong until it is forgiven. */
  take(principal: Principal): Promise<{ forgive(): Promise<void> } | Refusal>
}

export function createCodeAllowance(parts: Pick<Parts, 'database' | 'clock'>): CodeAllowance {
  const throttle = createThrottle(parts)
  return {
    async take({ id }) {
      const source = `device codes of ${id}`
      const turn = await throttle.take({ account: source, source, personId: undefined, isSignedIn: true })
      if (isRefusal(turn)) return turn
      return { forgive: () => parts.database.transaction((transaction) => turn.settle(transaction)) }
    },
  }
}
