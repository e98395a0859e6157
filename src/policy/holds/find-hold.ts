/**
 * Is this person, their client, their address, or what they ask for, on hold?
 * Stops: traffic that somebody stopped; the widest hold answers first.
 * Trusts: the holds that were loaded last.
 * Fails: an expired hold ends by the clock, without a reload.
 */
import { refuse, type Refusal } from '#kernel'
import { compileNetworks, type Networks } from '#platform/http'
import type { Asked } from '../explain.ts'
import { policyRefusals } from '../refusals.ts'
import { isInForce, type Hold, type HoldKind } from './hold.ts'

/** Holds by kind and subject; those on networks beside, compiled. */
export interface HoldIndex {
  readonly bySubject: ReadonlyMap<string, readonly Hold[]>
  readonly networks: readonly { readonly hold: Hold; readonly network: Networks }[]
}

/** Who asks, and what for. */
export interface HeldQuestion {
  readonly personId: string
  /** Ids of the clients and service accounts that act for the person. */
  readonly clients?: readonly string[] | undefined
  readonly address?: string | undefined
  readonly target?: Asked | undefined
}

const ownAddresses = ['127.0.0.1', '::1']

/** WHY: behind it stand this machine's own clients, and whoever comes through a proxy beside the gateway. */
export function refuseNetwork(network: string): Refusal | undefined {
  const { has } = compileNetworks([network])
  return ownAddresses.some(has) ? refuse(policyRefusals.holdOnLoopback, { names: { network } }) : undefined
}

function keyOf(kind: HoldKind, subject: string): string {
  return `${kind}:${subject}`
}

export function indexHolds(holds: readonly Hold[]): HoldIndex {
  const onNetworks = holds.filter(({ kind }) => kind === 'address')
  return {
    bySubject: Map.groupBy(holds, (hold) => keyOf(hold.kind, hold.subject)),
    networks: onNetworks.map((hold) => ({ hold, network: compileNetworks([hold.subject]) })),
  }
}

/** The hold in force on this address. Costs nothing where no address is held. */
export function findOnAddress({ networks }: HoldIndex, address: string, nowMs: number): Hold | undefined {
  return networks.find(({ hold, network }) => network.has(address) && isInForce(hold, nowMs))?.hold
}

function keysFor({ personId, clients = [], target }: HeldQuestion): string[] {
  // WHY: a service account is a client by its own id, on the admin plane, too.
  const own = [keyOf('person', personId), keyOf('client', personId)]
  if (target === 'castellan') return own
  const keys = [...own, keyOf('everything', ''), ...clients.map((client) => keyOf('client', client))]
  if (target === undefined) return keys
  keys.push(keyOf('upstream', target.upstream))
  if (target.kind === 'tool') keys.push(keyOf('tool', `${target.upstream}/${target.name ?? ''}`))
  return keys
}

/**
 * The first hold in force: on the person, on everything, on a client, on the upstream, on the tool, on the address.
 * @param target `castellan` asks for the admin plane, which holds on everything, clients and addresses leave
 * open so that they can be lifted
 */
export function findInForce(index: HoldIndex, asked: HeldQuestion, nowMs: number): Hold | undefined {
  if (index.bySubject.size === 0) return undefined
  for (const key of keysFor(asked)) {
    const hold = index.bySubject.get(key)?.find((one) => isInForce(one, nowMs))
    if (hold !== undefined) return hold
  }
  const { address, target } = asked
  return address === undefined || target === 'castellan' ? undefined : findOnAddress(index, address, nowMs)
}
