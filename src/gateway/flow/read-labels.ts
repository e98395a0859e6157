/**
 * What has this client of the person met so far? Learns the labels.
 * Stops: two calls, or two nodes, of which one does not know what the other has read: they are read as committed.
 * Trusts: policy for whether any rule goes by them; where none does, nothing is read.
 * Fails: what cannot be read throws, and the exchange is refused.
 */
import type { Policy } from '#policy'
import type { Guard } from '../checklist.ts'
import type { Authenticated } from '../guards/authenticate-caller.ts'

export interface Labelled {
  readonly labels: ReadonlySet<string>
  /** What this exchange brings, once that is kept; undefined where no rule reads labels. */
  readonly brought: Set<string> | undefined
}

const none: Labelled = { labels: new Set(), brought: undefined }

export function readLabels(policy: Pick<Policy, 'refresh' | 'readsFlow' | 'flow'>): Guard<Authenticated, Labelled> {
  const read = async ({ principal }: Authenticated): Promise<Labelled> => ({
    labels: await policy.flow.read(principal),
    brought: new Set(),
  })
  const learn = (known: Authenticated): Labelled | Promise<Labelled> => (policy.readsFlow() ? read(known) : none)
  return {
    name: 'read-labels',
    check(known) {
      const refreshed = policy.refresh()
      return refreshed instanceof Promise ? refreshed.then(() => learn(known)) : learn(known)
    },
  }
}
