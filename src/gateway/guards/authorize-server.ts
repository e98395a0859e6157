/**
 * May this person use this server at all?
 * Stops: any exchange with an upstream that no role of the person grants, notifications and streams included.
 * Trusts: policy's decision.
 * Fails: closed, with the answer of a server that does not exist.
 */
import { refuse, type Refusal } from '#kernel'
import type { Policy } from '#policy'
import type { Guard } from '../checklist.ts'
import { circumstancesOfOther, type Classifies } from '../flow/circumstances.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Aim } from './resolve-target.ts'

export interface ServerRooms {
  readonly policy: Pick<Policy, 'decide'>
  readonly classifications: Classifies
}

/** The refusal for a server that no role of the person grants; undefined where one does. */
export function serverRefusal(
  { policy, classifications }: ServerRooms,
  { principal, upstream, circumstances }: Authenticated & Pick<Aim, 'upstream' | 'circumstances'>,
): Refusal | undefined {
  const server = { upstream: upstream.name, kind: 'server' } as const
  const own = circumstancesOfOther(classifications, circumstances, server)
  const decision = policy.decide(principal, 'servers:use', server, own)
  if (decision.isAllowed) return undefined
  const detail = { isKnown: true, reasons: decision.reasons, snapshot: decision.snapshotVersion }
  return refuse(gatewayRefusals.serverUnknown, { names: { server: upstream.name }, detail })
}

export function authorizeServer(rooms: ServerRooms): Guard<Authenticated & Aim, {}> {
  return { name: 'authorize-server', check: (known) => serverRefusal(rooms, known) ?? {} }
}
