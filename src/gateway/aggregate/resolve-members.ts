/**
 * Which servers answer together at this address, to this person? Learns them, and what the exchange as a whole is about.
 * Stops: finding out which bundles exist; a server answering to somebody who may not use it.
 * Trusts: the catalog, the bundles and policy's decision on each server.
 * Fails: with nobody to ask, with the answer of an address that does not exist.
 * @see docs/decisions/0025-several-servers-at-one-address.md
 */
import { isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import type { Decision, Policy } from '#policy'
import { subscribedResources } from '#protocol'
import type { Bundles, UpstreamRecord } from '#upstream'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { type Circumstanced, circumstancesOf, circumstancesOfOther, type Classifies } from '../flow/circumstances.ts'
import type { Consented } from '../flow/read-consents.ts'
import type { Labelled } from '../flow/read-labels.ts'
import { bundleNameOf } from '../outside/metadata.ts'
import { badParams, gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from '../guards/authenticate-caller.ts'
import type { Authorized } from '../guards/authorize-call.ts'
import type { Inbound } from '../guards/read-message.ts'
import { aboutOf, type Aim } from '../guards/resolve-target.ts'

/** Who asks several servers at once, and by which request. */
export type Caller = Arrival & Authenticated & Inbound & Labelled & Consented

/** Stands for several servers where one is expected. */
export interface GatheringRecord extends UpstreamRecord {
  readonly caller: Caller
  /** Those that the caller may use, in the order in which they are listed, as of the last refresh of all rooms. */
  members(): readonly UpstreamRecord[]
}

export interface MemberRooms {
  readonly catalog: {
    refresh(): void | Promise<void>
    find(name: string): UpstreamRecord | undefined
    list(): UpstreamRecord[]
  }
  readonly bundles: Pick<Bundles, 'find' | 'refresh'>
  readonly policy: Pick<Policy, 'decide' | 'refresh'>
  readonly classifications: Classifies
}

type Places = Pick<MemberRooms, 'catalog' | 'bundles'>

interface Member {
  readonly record: UpstreamRecord
  readonly decision: Decision
}

/** Every server at an address, as of the last refresh. @param address `/mcp`, or that of a bundle */
export function serversAt({ catalog, bundles }: Places, address: string): UpstreamRecord[] {
  const bundle = bundleNameOf(address)
  if (bundle === undefined) return catalog.list()
  const names = bundles.find(bundle)?.upstreams ?? []
  return names.flatMap((name) => catalog.find(name) ?? [])
}

/** Whether a server answers at an address, as of the last refresh. */
export function isServerAt({ catalog, bundles }: Places, address: string, name: string): boolean {
  const bundle = bundleNameOf(address)
  const isListed = bundle === undefined || bundles.find(bundle)?.upstreams.includes(name) === true
  return isListed && catalog.find(name) !== undefined
}

function membersFor(
  rooms: MemberRooms,
  { serverName: address, circumstances }: Pick<Caller, 'serverName'> & Circumstanced,
  principal: Principal,
): Member[] {
  return serversAt(rooms, address).flatMap((record) => {
    const server = { upstream: record.name, kind: 'server' } as const
    const own = circumstancesOfOther(rooms.classifications, circumstances, server)
    const decision = rooms.policy.decide(principal, 'servers:use', server, own)
    return decision.isAllowed ? [{ record, decision }] : []
  })
}

function resolve(rooms: MemberRooms, known: Caller): (Aim & Authorized) | Refusal {
  const { serverName: address, principal } = known
  const about = aboutOf(known)
  if (isRefusal(about)) return about
  const target = { upstream: address, kind: 'server' } as const
  const circumstances = circumstancesOf(rooms.classifications, known, target)
  const asked = { serverName: address, circumstances }
  const [first] = membersFor(rooms, asked, principal)
  if (first === undefined) {
    return refuse(gatewayRefusals.serverUnknown, { names: { server: address }, detail: { isKnown: false } })
  }
  const filter = subscribedResources(known.message)
  if (filter === undefined) return badParams(known.era, 'the filter holds what castellan cannot judge')
  const upstream: GatheringRecord = {
    name: address,
    transport: 'http',
    environment: {},
    isDemo: false,
    caller: known,
    members: () => membersFor(rooms, asked, principal).map(({ record }) => record),
  }
  return {
    upstream,
    target,
    permission: 'servers:use',
    alsoNeeded: [],
    gathers: (current) => membersFor(rooms, asked, current).length > 0,
    circumstances,
    decision: first.decision,
  }
}

export function resolveMembers(rooms: MemberRooms): Guard<Caller, Aim & Authorized> {
  return {
    name: 'resolve-members',
    async check(known) {
      await Promise.all([rooms.catalog.refresh(), rooms.bundles.refresh(), rooms.policy.refresh()])
      return resolve(rooms, known)
    },
  }
}
