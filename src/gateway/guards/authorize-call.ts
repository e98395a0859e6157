/**
 * May this person do this, here? Learns the decision with its reasons and snapshot.
 * Stops: what no role grants; every URI of a subscription is judged like a read of it.
 * Trusts: policy's decision, the same function that lists are filtered with.
 * Fails: closed; the caller hears the same for not granted, not approved and not there.
 */
import { refuse, type Refusal, type Target } from '#kernel'
import type { Decision, Policy } from '#policy'
import { isObject } from '#protocol'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

export interface Authorized {
  readonly decision: Decision
}

function denied(target: Target, decision: Decision): Refusal {
  const detail = { reason: 'not-granted', reasons: decision.reasons, snapshot: decision.snapshotVersion }
  const names = { kind: target.kind, name: target.name ?? '', server: target.upstream }
  return refuse(gatewayRefusals.notGranted, { names, detail })
}

/** SPEC: 2026-07-28 subscriptions/listen names the resources to be told about in its filter. */
function subscribedUris({ message }: Inbound): string[] {
  if (message?.method !== 'subscriptions/listen') return []
  const filter = message.params?.['notifications']
  const uris = isObject(filter) ? filter['resourceSubscriptions'] : undefined
  return Array.isArray(uris) ? uris.map(String) : []
}

export function authorizeCall(policy: Pick<Policy, 'decide'>): Guard<Authenticated & Inbound & Aim, Authorized> {
  return {
    name: 'authorize-call',
    check(known) {
      const { principal, upstream, target, permission } = known
      const decision = policy.decide(principal, permission, target)
      if (!decision.isAllowed) return denied(target, decision)
      for (const name of subscribedUris(known)) {
        const resource: Target = { upstream: upstream.name, kind: 'resource', name }
        const read = policy.decide(principal, 'resources:read', resource)
        if (!read.isAllowed) return denied(resource, read)
      }
      return { decision }
    },
  }
}
