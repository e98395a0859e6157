/**
 * What does a directory tell of a group, and who comes and goes with a patch of it?
 * Stops: groups within groups, members without an id, more members than are taken at a time.
 * Trusts: nothing. Fails: with the first value that cannot be read.
 * @see RFC 7643, section 4.2; RFC 7644, section 3.5.2
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { scimLimits } from '../scim/limits.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { attributeNamed, isIndexable, readable } from './attributes.ts'
import type { Operation } from './operations.ts'
import { type Place, readPath } from './paths.ts'
import { isMembers, isText, type Members, readValue, wrongValue } from './read-values.ts'

/** What changes of a group. Absent: stays as it is. */
export interface GroupChange {
  readonly displayName?: string
  readonly externalId?: string | null
  /** In order: the ids of people, and whether they are all there are from then on. */
  readonly members: readonly { readonly kind: 'add' | 'remove' | 'all'; readonly ids: readonly string[] }[]
}

const longestName = 500
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/u

function readName(value: unknown): string | Refusal {
  const isName = typeof value === 'string' && value.trim() === value && value !== '' && !invisible.test(value)
  return isName && value.length <= longestName && isIndexable(value) ? value : wrongValue('displayName')
}

function isExternalId(value: unknown): value is string {
  return isText(value) && isIndexable(value)
}

function readIds(value: unknown): string[] | Refusal {
  const attribute = attributeNamed(readable.group, 'members')
  const read = attribute === undefined ? undefined : readValue(attribute, value)
  if (isRefusal(read)) return read
  const ids: string[] = []
  for (const member of Array.isArray(read) ? (read as readonly unknown[]) : []) {
    const { value: id, type = 'User' } = isMembers(member) ? member : {}
    if (typeof id !== 'string' || String(type).toLowerCase() !== 'user') return wrongValue('members')
    ids.push(id)
  }
  return ids
}

/** Reads a whole group: a body that makes or replaces one. */
export function readGroup(body: Members): Required<GroupChange> | Refusal {
  const at = (name: string) => Object.entries(body).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
  const displayName = readName(at('displayName'))
  if (isRefusal(displayName)) return displayName
  const externalId = at('externalId') ?? null
  if (externalId !== null && !isExternalId(externalId)) return wrongValue('externalId')
  const ids = readIds(at('members'))
  return isRefusal(ids) ? ids : { displayName, externalId, members: [{ kind: 'all', ids }] }
}

const oneValue = /^\s*value\s+eq\s+"([^"\\]{1,200})"\s*$/i

/** SPEC: `members[value eq "…"]` takes one out; with a list it is as many as the list has; without either, all. */
function readMembersChange({ op, value, path }: Operation, place: Place): GroupChange['members'][number] | Refusal {
  if (place.filter !== undefined) {
    const [, id] = oneValue.exec(place.filter) ?? []
    const isPart = place.part !== undefined
    if (id === undefined || isPart || op !== 'remove') return badPath(path ?? '')
    return { kind: 'remove', ids: [id] }
  }
  if (place.part !== undefined) return badPath(path ?? '')
  if (op === 'remove' && (value === undefined || value === null)) return { kind: 'all', ids: [] }
  const ids = readIds(value)
  if (isRefusal(ids)) return ids
  return { kind: op === 'replace' ? 'all' : op, ids }
}

function badPath(path: string): Refusal {
  return refuse(scimRefusals.pathInvalid, { names: { path } })
}

function readStep(operation: Operation, path: string): Partial<GroupChange> | Refusal {
  const place = readPath('group', path)
  if (place === undefined) return badPath(path)
  const { name } = place.attribute
  if (name === 'members') {
    const change = readMembersChange(operation, place)
    return isRefusal(change) ? change : { members: [change] }
  }
  if (operation.op === 'remove') {
    return name === 'externalId' ? { externalId: null } : refuse(scimRefusals.immutable, { names: { path } })
  }
  if (name === 'displayName') {
    const displayName = readName(operation.value)
    return isRefusal(displayName) ? displayName : { displayName }
  }
  const externalId = operation.value ?? null
  return externalId === null || isExternalId(externalId) ? { externalId } : wrongValue('externalId')
}

/** Reads a patch of a group. */
export function readGroupPatch(operations: readonly Operation[]): GroupChange | Refusal {
  let change: GroupChange = { members: [] }
  let count = 0
  for (const operation of operations) {
    const steps =
      operation.path === undefined
        ? Object.entries(operation.value as Members).filter(([key]) => readPath('group', key) !== undefined)
        : [[operation.path, operation.value] as const]
    for (const [path, value] of steps) {
      const step = readStep({ ...operation, value }, path)
      if (isRefusal(step)) return step
      count += step.members?.[0]?.ids.length ?? 0
      if (count > scimLimits.membersPerRequest) {
        return refuse(scimRefusals.bodyTooLarge, { names: { what: 'members' } })
      }
      change = { ...change, ...step, members: [...change.members, ...(step.members ?? [])] }
    }
  }
  return change
}
