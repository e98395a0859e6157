/**
 * What does a person find at an address of several servers, as far as Castellan decides it?
 * Stops: a list that changed by a grant, an approval or a hold staying as it was with those who listen.
 * Trusts: the same decision, pins and holds that calls and lists are judged by.
 * Fails: what cannot be judged counts as a change.
 */
import { asKept, type Principal, type Target } from '#kernel'
import type { Policy } from '#policy'
import type { Pin } from '#upstream'
import { type Circumstanced, circumstancesOf, circumstancesOfOther, type Classifies } from '../flow/circumstances.ts'
import { isUsable } from '../guards/authorize-call.ts'
import { type Caller, type MemberRooms, serversAt } from './resolve-members.ts'

export interface OfferRooms {
  readonly upstreams: Pick<MemberRooms, 'catalog' | 'bundles'> & {
    readonly pins: { list(upstream: string): Pin[] }
    readonly classifications: Classifies
  }
  readonly policy: Pick<Policy, 'decide' | 'findHold' | 'refresh'> & { readonly roles: Pick<Policy['roles'], 'keptOf'> }
}

export interface Offer {
  /** Names, in order. */
  readonly servers: readonly string[]
  /** Two are equal when the same tools, by the same definitions, are offered. */
  readonly tools: string
}

interface Asking extends Circumstanced {
  readonly principal: Principal
}

function offeredTools({ upstreams, policy }: OfferRooms, asking: Asking, upstream: string): string[] {
  const { principal } = asking

  return upstreams.pins.list(upstream).flatMap(({ tool, status, approvedHash }) => {
    const target: Target = { upstream, kind: 'tool', name: tool }
    if (status !== 'approved' || approvedHash === undefined) return []
    const circumstances = circumstancesOfOther(upstreams.classifications, asking.circumstances, target)
    const isOffered =
      isUsable(policy, principal, { permission: 'tools:call', target, circumstances }) &&
      policy.findHold({ personId: principal.id, target }) === undefined
    return isOffered ? [`${tool} ${approvedHash}`] : []
  })
}

/** What is offered at this moment, all rooms refreshed. */
export async function offerAt(rooms: OfferRooms, caller: Caller): Promise<Offer> {
  const { upstreams, policy } = rooms
  await Promise.all([upstreams.catalog.refresh(), upstreams.bundles.refresh(), policy.refresh()])
  const principal = asKept(caller.principal, await policy.roles.keptOf(caller.principal.id))
  const { classifications } = upstreams
  const place: Target = { upstream: caller.serverName, kind: 'server' }
  const circumstances = circumstancesOf(classifications, caller, place)
  const mayUse = (upstream: string): boolean => {
    const server: Target = { upstream, kind: 'server' }
    const own = circumstancesOfOther(classifications, circumstances, server)
    return policy.decide(principal, 'servers:use', server, own).isAllowed
  }
  const servers = serversAt(upstreams, caller.serverName)
    .map(({ name }) => name)
    .filter(mayUse)
  const tools = servers.map((name) => [name, offeredTools(rooms, { principal, circumstances }, name)])
  return { servers, tools: JSON.stringify(tools) }
}
