/**
 * What is there for calls that somebody has to agree to? What the gateway asks, what approvers and persons answer.
 * Stops: what each of its parts stops.
 * Trusts: its parts.
 * Fails: as they do: closed.
 * @see docs/decisions/0043-what-people-can-do-about-a-denial.md
 */
import { type Refusal } from '#kernel'
import { type Approvals, createApprovals } from './approve.ts'
import { type Asked, createAsk } from './ask.ts'
import { type AskedCall, type AskedRule, inOrder } from './asked-call.ts'
import { type Consents, createConsents } from './consents.ts'
import { createOwnCalls, type OwnCalls } from './own-call.ts'
import type { RemedyParts } from './parts.ts'
import { createReadRemedies, type ReadRemedies } from './read.ts'
import { createSpend, type SpentRemedies } from './spend.ts'

export interface Remedies {
  /** Asks for what a call needs: the same again for one that waits already. */
  ask(call: AskedCall): Promise<Asked | Refusal>
  /** Whether everything that it needs was given, as far as can be seen without using it up. */
  isReady(call: AskedCall): Promise<boolean>
  /** Uses up what was given for exactly this call; undefined when something is missing. One of any number of callers gets it. */
  spend(call: AskedCall): Promise<SpentRemedies | undefined>
  /** A call goes on that passed with this and went on `round` times: for one caller each time. */
  goOn(id: string, round: number, call: AskedCall): Promise<SpentRemedies | undefined>
  readonly approvals: Approvals & Pick<ReadRemedies, 'list' | 'show'>
  readonly own: OwnCalls & { show: ReadRemedies['showOwn'] }
  readonly consents: Consents
}

export function createRemedies(parts: RemedyParts): Remedies {
  const fingerprinted = ({ remedies }: AskedCall): AskedRule[] =>
    // INVARIANT: a rule that is gone has a fingerprint that no rule has: nothing that is given for it counts.
    inOrder(remedies.map((remedy) => ({ ...remedy, fingerprint: parts.policy.ruleFingerprint(remedy.rule) ?? '' })))
  const { list, show, showOwn } = createReadRemedies(parts)
  return {
    ask: createAsk(parts, fingerprinted),
    ...createSpend(parts, fingerprinted),
    approvals: { ...createApprovals(parts), list, show },
    own: { ...createOwnCalls(parts), show: showOwn },
    consents: createConsents(parts),
  }
}
