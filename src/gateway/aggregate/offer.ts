/**
 * What does a person find at an address of several servers, as far as Castellan decides it?
 * Stops: a list that changed by a grant, an approval or a hold staying as it was with those who listen.
 * Trusts: the same decision, pins and holds that calls and lists are judged by.
 * Fails: what cannot be judged counts as a change.
 */
import { type Principal, type Target, withRoles } from '#kernel'
import type { Policy } from '#policy'
import type { Pin } from '#upstream'
import { isUsable } from '../guards/authorize-call.ts'
import { type MemberRooms, serversAt } from '../guards/resolve-members.ts'

export interface OfferRooms {
  readonly upstreams: Pick<MemberRooms, 'catalog' | 'bundles'> & { readonly pins: { list(upstream: string): Pin[] } }
  readonly policy: Pick<Policy, 'decide' | 'findHold' | 'refresh'> & { readonly roles: Pick<Policy['roles'], 'of'> }
}

export interface Offer {
  /** Names, in order. */
  readonly servers: readonly string[]
  /** Two are equal when the same tools, by the same definitions, are offered. */
  readonly tools: string
}

function offeredTools({ upstreams, policy }: OfferRooms, principal: Principal, upstream: string): string[] {
  return upstreams.pins.list(upstream).flatMap(({ tool, status, approvedHash }) => {
    const target: Target = { upstream, kind: 'tool', name: tool }
    if (status !== 'approved' || approvedHash === undefined) return []
    const isOffered =
      isUsable(policy, principal, { permission: 'tools:call', target }) &&
      policy.findHold({ personId: principal.id, target }) === undefined
    return isOffered ? [`${tool} ${approvedHash}`] : []
  })
}

/** What is offered at this moment, all rooms refreshed. */
export async function offerAt(rooms: OfferRooms, address: string, person: Principal): Promise<Offer> {
  const { upstreams, policy } = rooms
  await Promise.all([upstreams.catalog.refresh(), upstreams.bundles.refresh(), policy.refresh()])
  const principal = withRoles(person, await policy.roles.of(person.id))
  const servers = serversAt(upstreams, address)
    .map(({ name }) => name)
    .filter((upstream) => policy.decide(principal, 'servers:use', { upstream, kind: 'server' }).isAllowed)
  const tools = servers.map((name) => [name, offeredTools(rooms, principal, name)])
  return { servers, tools: JSON.stringify(tools) }
}
