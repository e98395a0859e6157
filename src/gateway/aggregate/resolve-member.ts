/**
 * For which of the servers at this address is it, if it is about one of them? Learns the call as that server gets it.
 * Stops: a call that reaches a server by a name that the server has not here, and any call that its own guards do not judge.
 * Trusts: names and URIs only to find the server; see `aggregate/inward.ts`.
 * Fails: closed: a name of no server here, and an address whose servers cannot be read, are refused.
 * @see docs/decisions/0025-several-servers-at-one-address.md
 */
import { isRefusal } from '#kernel'
import { type Call, routeCall, type Routed, type RoutingRooms } from './inward.ts'
import type { Guard } from '../checklist.ts'
import { type Caller, isServerAt, type MemberRooms } from './resolve-members.ts'

export interface Crossed {
  /** Undefined for what several servers answer together, and for what their face for old clients takes. */
  readonly routed: Routed | undefined
}

type Servers = Pick<MemberRooms, 'catalog' | 'bundles'>

/** A caller's message, or one that stands for it, as a call at their address. */
export function callAt(servers: Servers, caller: Caller, sent: Pick<Call, 'message' | 'headers'>): Call {
  const { serverName: address, principal } = caller
  const isMember = (upstream: string): boolean => isServerAt(servers, address, upstream)
  return { ...sent, principal, address, isLeg: false, isMember }
}

export function resolveMember(rooms: Servers & RoutingRooms): Guard<Caller, Crossed> {
  return {
    name: 'resolve-member',
    async check(known) {
      const { era, message, headers } = known
      if (era !== 'modern' || message === undefined) return { routed: undefined }
      await Promise.all([rooms.catalog.refresh(), rooms.bundles.refresh()])
      const routed = routeCall(rooms, callAt(rooms, known, { message, headers }))
      return isRefusal(routed) ? routed : { routed }
    },
  }
}
