/**
 * Is this person, or what they ask for, on hold?
 * Stops: traffic that somebody stopped; the widest hold answers first.
 * Trusts: the holds that were loaded last.
 * Fails: an expired hold ends by the clock, without a reload.
 */
import type { Asked } from '../explain.ts'
import { isInForce, type Hold, type HoldKind } from './hold.ts'

/** Holds by kind and subject. */
export type HoldIndex = ReadonlyMap<string, readonly Hold[]>

function keyOf(kind: HoldKind, subject: string): string {
  return `${kind}:${subject}`
}

export function indexHolds(holds: readonly Hold[]): HoldIndex {
  return Map.groupBy(holds, (hold) => keyOf(hold.kind, hold.subject))
}

function keysFor(personId: string, target: Asked | undefined): string[] {
  const person = keyOf('person', personId)
  if (target === 'castellan') return [person]
  const keys = [person, keyOf('everything', '')]
  if (target === undefined) return keys
  keys.push(keyOf('upstream', target.upstream))
  if (target.kind === 'tool') keys.push(keyOf('tool', `${target.upstream}/${target.name ?? ''}`))
  return keys
}

/**
 * The first hold in force: on the person, on everything, on the upstream, on the tool.
 * @param target `castellan` asks for the admin plane, which a hold on everything leaves open so that it can be lifted
 */
export function findInForce(
  index: HoldIndex,
  asked: { personId: string; target?: Asked | undefined },
  nowMs: number,
): Hold | undefined {
  if (index.size === 0) return undefined
  for (const key of keysFor(asked.personId, asked.target)) {
    const hold = index.get(key)?.find((one) => isInForce(one, nowMs))
    if (hold !== undefined) return hold
  }
  return undefined
}
