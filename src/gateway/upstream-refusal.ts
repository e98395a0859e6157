/**
 * How is a broken upstream, or a ledger or database that cannot be used, told to the caller?
 * Stops: an upstream's own words, addresses and challenges reaching a client.
 * Trusts: the fault's code; its message goes to the ledger only.
 * Fails: an unknown fault is `gateway.fault`.
 */
import { Fault, refuse, type Refusal, type RefusalDefinition } from '#kernel'
import type { UpstreamAnswer } from '#upstream'
import { gatewayRefusals } from './refusals.ts'

const byFault: Readonly<Record<string, RefusalDefinition>> = {
  'upstream.unreachable': gatewayRefusals.upstreamUnreachable,
  'upstream.unavailable': gatewayRefusals.upstreamUnavailable,
  'upstream.overloaded': gatewayRefusals.upstreamOverloaded,
  'upstream.busy': gatewayRefusals.upstreamBusy,
  'upstream.timeout': gatewayRefusals.upstreamTimeout,
  'upstream.misbehaved': gatewayRefusals.upstreamMisbehaved,
  'upstream.answer-too-large': gatewayRefusals.upstreamMisbehaved,
  'upstream.cancelled': gatewayRefusals.callCancelled,
  'upstream.session-ended': gatewayRefusals.sessionUnknown,
  'upstream.credentials-refused': gatewayRefusals.upstreamMisbehaved,
  'protocol.event-too-large': gatewayRefusals.upstreamMisbehaved,
  'audit.ledger-unavailable': gatewayRefusals.ledgerUnavailable,
  'database.unavailable': gatewayRefusals.databaseUnavailable,
  'database.busy': gatewayRefusals.databaseUnavailable,
}

const ownStores: ReadonlySet<RefusalDefinition> = new Set([
  gatewayRefusals.ledgerUnavailable,
  gatewayRefusals.databaseUnavailable,
])

const retryAfterSeconds = 2

const faultOfProblem: Readonly<Record<NonNullable<UpstreamAnswer['hopProblem']>, string>> = {
  'session-ended': 'upstream.session-ended',
  cancelled: 'upstream.cancelled',
  overloaded: 'upstream.busy',
  failed: 'upstream.misbehaved',
  'credentials-refused': 'upstream.credentials-refused',
}

/** What broke on the way to an upstream, where its answer says nothing else; undefined for an answer to the request. */
export function hopFault({ status, hopProblem }: UpstreamAnswer): Fault | undefined {
  if (hopProblem === undefined) return undefined
  const wait = hopProblem === 'overloaded' ? { retryAfterSeconds } : {}
  return new Fault(faultOfProblem[hopProblem], `the upstream answered ${status}: ${hopProblem}`, wait)
}

/** The refusal of one server where several answer, on its way up through what knows of answers and Faults alone. */
export class RefusedFault extends Fault {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.code, refusal.says)
    this.refusal = refusal
  }
}

/** What a guard that broke is answered with: a store of Castellan's own that cannot be used is told as what it is. */
export function brokenRefusal(thrown: unknown): Refusal {
  const own = thrown instanceof Fault && ownStores.has(byFault[thrown.code] ?? gatewayRefusals.fault)
  return own ? upstreamRefusal(thrown, '') : refuse(gatewayRefusals.fault, { detail: { cause: String(thrown) } })
}

export function upstreamRefusal(fault: Fault, server: string): Refusal {
  if (fault instanceof RefusedFault) return fault.refusal
  const definition = byFault[fault.code] ?? gatewayRefusals.fault
  const detail = { fault: fault.code, cause: fault.message }
  if (ownStores.has(definition)) return refuse(definition, { detail, retryAfterSeconds })
  const wait = fault.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: fault.retryAfterSeconds }
  return refuse(definition, { names: { server }, detail, ...wait })
}
