/**
 * What does an entity or a record have, and what does an entity belong to?
 * Stops: a member that is inherited from the language; an entity that counts as a member of what only looks like it.
 * Trusts: the request, for what it tells of entities.
 * Fails: what is not there is `missing`; what has no members at all is of the wrong type.
 * @see https://docs.cedarpolicy.com/policies/syntax-operators.html
 */
import { isSet, spoiled } from './operators.ts'
import { isValue, unknown, wrong, type CedarRequest, type EntityUid, type Result } from './values.ts'

function isEntity(result: Result): result is EntityUid {
  return typeof result === 'object' && result.kind === 'entity'
}

const holders = 'an entity or a record'

export const missingAttribute = wrong('missing', 'an attribute is missing')
export const missingTag = wrong('missing', 'a tag is missing')

/** A member of an entity or a record; undefined where it has none of this name. */
function find(request: CedarRequest, holder: Result, name: string): Result | undefined {
  if (typeof holder === 'object' && holder.kind === 'record') return holder.get(name)
  if (isEntity(holder)) return request.entity(holder)?.attribute(name)
  return spoiled(holders, holder)
}

export function memberOf(request: CedarRequest, holder: Result, name: string): Result {
  return find(request, holder, name) ?? missingAttribute
}

/** Whether it is there, and so on along the path. */
export function hasMember(request: CedarRequest, holder: Result, path: readonly string[]): Result {
  let held = holder
  for (const name of path) {
    const found = find(request, held, name)
    if (found === undefined) return false
    if (!isValue(found)) return found.kind === 'unknown' ? unknown : found
    held = found
  }
  return true
}

export function hasTag(request: CedarRequest, holder: Result, key: Result): Result {
  if (!isEntity(holder) || typeof key !== 'string') return spoiled('an entity and the name of a tag', holder, key)
  const found = request.entity(holder)?.tag(key)
  if (found === undefined) return false
  if (isValue(found)) return true
  return found.kind === 'unknown' ? unknown : found
}

export function tagOf(request: CedarRequest, holder: Result, key: Result): Result {
  if (!isEntity(holder) || typeof key !== 'string') return spoiled('an entity and the name of a tag', holder, key)
  return request.entity(holder)?.tag(key) ?? missingTag
}

const fewAncestors = 8
const indexed = new WeakMap<readonly EntityUid[], Map<string, Set<string>>>()

/** WHY: a person with many groups is looked up once for each rule that names one. */
function indexOf(ancestors: readonly EntityUid[]): Map<string, Set<string>> {
  const known = indexed.get(ancestors)
  if (known !== undefined) return known
  const ids = new Map<string, Set<string>>()
  for (const { type, id } of ancestors) {
    const ofType = ids.get(type)
    if (ofType === undefined) ids.set(type, new Set([id]))
    else ofType.add(id)
  }
  indexed.set(ancestors, ids)
  return ids
}

/** Whether an entity is another one, or belongs to it. */
function belongsTo(request: CedarRequest, member: EntityUid, group: EntityUid): boolean {
  if (member.id === group.id && member.type === group.type) return true
  const ancestors = request.entity(member)?.ancestors
  if (ancestors === undefined) return false
  if (ancestors.length > fewAncestors) return indexOf(ancestors).get(group.type)?.has(group.id) === true
  return ancestors.some((one) => one.id === group.id && one.type === group.type)
}

/** `member in group`, where the group may be a set of them. */
export function isIn(request: CedarRequest, member: Result, group: Result): Result {
  if (isEntity(member) && isEntity(group)) return belongsTo(request, member, group)
  if (!isEntity(member) || !isSet(group)) return spoiled('an entity, and an entity or a set of them', member, group)
  const groups = Array.from(group.values())
  if (!groups.every(isEntity)) return wrong('type', 'expected a set of entities')
  return groups.some((one) => belongsTo(request, member, one))
}

/** `result is type`. */
export function isOfType(result: Result, type: string): Result {
  return isEntity(result) ? result.type === type : spoiled('an entity', result)
}
