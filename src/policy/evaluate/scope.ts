/**
 * For whom, what and which things is a rule meant at all?
 * Stops: a rule that applies to more or to less than its head says.
 * Trusts: nothing: a head of no known form is not read.
 * Fails: a head of no known form, or with a slot to be filled, is a Fault.
 * @see https://docs.cedarpolicy.com/policies/json-format.html
 */
import { Fault } from '#kernel'
import { readUid } from './literals.ts'
import type { EntityUid } from './values.ts'

/** What the head of a rule says of one of the three: nothing, exactly this one, members of one of these, a type. */
export interface Constraint {
  readonly is?: string
  readonly equals?: EntityUid
  readonly within?: readonly EntityUid[]
}

const unreadable = (says: string) => new Fault('policy.unreadable', says)

function readGroups({ entity, entities }: { entity?: unknown; entities?: unknown }): EntityUid[] {
  if (Array.isArray(entities)) return entities.map(readUid)
  return [readUid(entity)]
}

/** Reads what a head says of `principal`, `action` or `resource`. @throws Fault `policy.unreadable` */
export function readConstraint(json: unknown): Constraint {
  const { op, ...told } = (json ?? {}) as { op?: unknown; [name: string]: unknown }
  switch (op) {
    case 'All':
      return {}
    case '==':
      return { equals: readUid(told['entity']) }
    case 'in':
      return { within: readGroups(told) }
    case 'is': {
      const { entity_type: type, in: group } = told
      if (typeof type !== 'string') throw unreadable('a head asks for a type without name')
      return group === undefined || group === null ? { is: type } : { is: type, within: readGroups(group) }
    }
    default:
      throw unreadable('a head is of no known form')
  }
}
