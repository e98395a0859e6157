/**
 * What does a decision change, and is the item still what people looked at?
 * Stops: a word about what was, taken for one about what is; a revocation that only stands in a list.
 * Trusts: `takeRole`, by which administrators take roles as well; the transaction it runs in.
 * Fails: refused, nothing is taken: the last administrator stays.
 */
import { isRefusal, type Principal, type Refusal } from '#kernel'
import type { RecordEvent } from '../record-change.ts'
import { refuseBeyondReach } from '../roles/reach.ts'
import { plainGrant, type Role } from '../roles/role.ts'
import { takeRole } from '../roles/role-holders.ts'
import type { Rows } from '../snapshot/store.ts'
import type { Item, ItemOutcome } from './campaign.ts'
import { roleHash } from './freeze.ts'

/** How an item stands to what is there: `changed` where it is not what was looked at, `gone` where nothing is left to take. */
export type Standstill = 'same' | 'changed' | 'gone'

interface Given {
  readonly role: string
  readonly grantedAt: number
  readonly roleHash: string
}

async function heldNow(rows: Rows, personId: string): Promise<ReadonlyMap<string, number>> {
  const found = await rows
    .selectFrom('role_grants')
    .select(['role', 'granted_at'])
    .where('person_id', '=', personId)
    .execute()
  return new Map(found.map(({ role, granted_at }) => [role, Number(granted_at)]))
}

async function compare(
  rows: Rows,
  asked: { personId: string; given: readonly Given[]; roles: readonly Role[] },
): Promise<Standstill> {
  const { personId, given, roles } = asked
  const held = await heldNow(rows, personId)
  if (given.every(({ role }) => !held.has(role))) return 'gone'
  const isSame = given.every(({ role, grantedAt, roleHash: looked }) => {
    const now = roles.find(({ name }) => name === role)
    return held.get(role) === grantedAt && now !== undefined && roleHash(now) === looked
  })
  return isSame ? 'same' : 'changed'
}

/** Compares an item with what is there at this moment. */
export async function standstill(rows: Rows, { subject }: Item, roles: readonly Role[]): Promise<Standstill> {
  if (subject.kind === 'assignment') {
    const { person, role, grantedAt, roleHash: looked } = subject
    return compare(rows, { personId: person.id, given: [{ role, grantedAt, roleHash: looked }], roles })
  }
  if (subject.kind === 'account') return compare(rows, { personId: subject.person.id, given: subject.roles, roles })
  const text = JSON.stringify(subject.grant)
  const role = roles.find(({ name }) => name === subject.role)
  return role?.grants.some((grant) => JSON.stringify(plainGrant(grant)) === text) === true ? 'same' : 'gone'
}

/** Names of the roles that a revocation takes; of a grant, the one that it belongs to. */
export function rolesTaken({ subject }: Item): readonly string[] {
  return subject.kind === 'account' ? subject.roles.map(({ role }) => role) : [subject.role]
}

/** The first role that none of these may take from anybody; undefined where each is within reach of one. */
export function beyondReach(
  item: Item,
  roles: readonly Role[],
  lenders: readonly Pick<Principal, 'roles'>[],
): string | undefined {
  return rolesTaken(item).find((name) => {
    const grants = roles.find((role) => role.name === name)?.grants ?? []
    return lenders.every((by) => refuseBeyondReach(by, roles, grants) !== undefined)
  })
}

/** Carries a revocation out in the running transaction. Grants wait for the draft that closing makes. */
export async function carryOut(
  { rows, record }: { readonly rows: Rows; readonly record: RecordEvent },
  item: Item,
  by: Principal,
): Promise<ItemOutcome | Refusal> {
  const { subject, campaign, place } = item
  if (subject.kind === 'grant') return { done: 'taken out of the role by the draft that closing makes' }
  const personId = subject.person.id
  for (const role of rolesTaken(item)) {
    const left = await takeRole(rows, record, { personId, role, by, details: { campaign, item: place } })
    if (isRefusal(left)) return left
  }
  const done = subject.kind === 'account' ? 'its roles were taken' : 'the role was taken'
  const isKept = subject.kind === 'account' || (subject.how !== 'directory' && subject.how !== 'provider')
  // WHY: whoever gave it gives it again, unless it is taken there as well.
  return isKept ? { done } : { done, source: `${subject.how} ${subject.by ?? ''}`.trim() }
}
