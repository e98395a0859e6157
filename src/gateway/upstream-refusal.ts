/**
 * How is a broken upstream, or a ledger that cannot write, told to the caller?
 * Stops: an upstream's own words, addresses and challenges reaching a client.
 * Trusts: the fault's code; its message goes to the ledger only.
 * Fails: an unknown fault is `gateway.fault`.
 */
import { type Fault, refuse, type Refusal, type RefusalDefinition } from '#kernel'
import { gatewayRefusals } from './refusals.ts'

const byFault: Readonly<Record<string, RefusalDefinition>> = {
  'upstream.unreachable': gatewayRefusals.upstreamUnreachable,
  'upstream.unavailable': gatewayRefusals.upstreamUnavailable,
  'upstream.overloaded': gatewayRefusals.upstreamOverloaded,
  'upstream.timeout': gatewayRefusals.upstreamTimeout,
  'upstream.misbehaved': gatewayRefusals.upstreamMisbehaved,
  'upstream.answer-too-large': gatewayRefusals.upstreamMisbehaved,
  'upstream.cancelled': gatewayRefusals.callCancelled,
  'upstream.session-ended': gatewayRefusals.sessionUnknown,
  'upstream.credentials-refused': gatewayRefusals.upstreamMisbehaved,
  'protocol.event-too-large': gatewayRefusals.upstreamMisbehaved,
  'audit.ledger-unavailable': gatewayRefusals.ledgerUnavailable,
}

const retryAfterSeconds = 2

export function upstreamRefusal(fault: Fault, server: string): Refusal {
  const definition = byFault[fault.code] ?? gatewayRefusals.fault
  const detail = { fault: fault.code, cause: fault.message }
  if (definition === gatewayRefusals.ledgerUnavailable) return refuse(definition, { detail, retryAfterSeconds })
  const wait = fault.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: fault.retryAfterSeconds }
  return refuse(definition, { names: { server }, detail, ...wait })
}
