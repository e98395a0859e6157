/**
 * Is it on record, durably, before anything can happen? Learns the receipt.
 * Stops: a call that leaves no trace: no receipt, no call (G1).
 * Trusts: the ledger: a receipt means flushed to disk.
 * Fails: 503 with Retry-After; nothing reaches the upstream.
 */
import type { Ledger, Receipt } from '#audit'
import { Fault } from '#kernel'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { callIntended } from '../events.ts'
import { traceDetail, type Travelled } from '../measure/trip.ts'
import { decisionFacts, parametersOf } from '../reconcile/decision-facts.ts'
import { upstreamRefusal } from '../upstream-refusal.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Authorized } from './authorize-call.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

export interface Intended {
  readonly intent: Receipt
}

type Needs = Arrival & Authenticated & Inbound & Aim & Authorized & Travelled

function describe(known: Needs): Record<string, unknown> {
  const { httpMethod, message, era, version, decision, trip, joint, principal } = known
  const judged = decisionFacts(known, decision.met)
  return {
    method: message?.method ?? (message === undefined ? httpMethod : 'response'),
    era,
    version,
    rules: decision.reasons.map((reason) => reason.rule),
    snapshot: decision.snapshotVersion,
    ...(decision.stepUp === undefined ? undefined : { stepUp: decision.stepUp }),
    ...(decision.spent === undefined ? undefined : { remedy: decision.spent }),
    ...(decision.redact === undefined ? undefined : { redacted: decision.redact }),
    ...(principal.actors === undefined ? undefined : { actors: principal.actors }),
    ...(joint === undefined ? undefined : { cameTo: joint.address }),
    ...(judged === undefined ? undefined : { judged }),
    ...(message === undefined ? undefined : { parameters: parametersOf(known) }),
    ...traceDetail(trip),
  }
}

export function recordIntent(ledger: Pick<Ledger, 'append'>): Guard<Needs, Intended> {
  return {
    name: 'record-intent',
    async check(known) {
      const { exchangeId: exchange, principal, address, target } = known
      try {
        const details = describe(known)
        const fields = { exchange, principal, address, target, outcome: 'intended', details } as const
        return { intent: await ledger.append(callIntended, fields) }
      } catch (thrown) {
        if (thrown instanceof Fault) return upstreamRefusal(thrown, target.upstream)
        throw thrown
      }
    },
  }
}
