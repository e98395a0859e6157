/**
 * May this person change the policy at this moment, and how far?
 * Stops: a right that was taken between the making of a draft and its publication; a program that changes rules; rules in
 * files by somebody who is not granted everything.
 * Trusts: the transaction it reads in, and nothing that a session remembers.
 * Fails: a person who is unknown, suspended, on hold or a program may not.
 */
import { refuse, type Principal, type Refusal } from '#kernel'
import { readHoldsInForce } from '../holds/holds.ts'
import { refuseBeyondReach } from '../roles/reach.ts'
import type { Grant, Role } from '../roles/role.ts'
import type { Rows } from '../snapshot/store.ts'
import type { ChangedItem } from './contents-diff.ts'
import { changeRefusals } from './refusals.ts'

/** Everything that there is to grant: what a rule in a file can do. */
const everything: Grant = { permissions: ['*'], resources: ['*'] }
const changing: Grant = { permissions: ['roles:write'], resources: ['castellan'] }

/** A person's roles at this moment; undefined of one who may not change the policy. */
export async function standingOf(
  rows: Rows,
  asked: { readonly personId: string; readonly roles: readonly Role[]; readonly now: number },
): Promise<Pick<Principal, 'id' | 'roles'> | undefined> {
  const { personId, roles, now } = asked
  const person = await rows
    .selectFrom('people')
    .select(['status', 'kind'])
    .where('id', '=', personId)
    .executeTakeFirst()
  if (person?.status !== 'active' || person.kind !== 'person') return undefined
  const holds = await readHoldsInForce(rows, now)
  if (holds.some(({ kind, subject }) => kind === 'person' && subject === personId)) return undefined
  const given = await rows.selectFrom('role_grants').select('role').where('person_id', '=', personId).execute()
  const standing = { id: personId, roles: given.map(({ role }) => role).toSorted() }
  return refuseBeyondReach(standing, roles, [changing]) === undefined ? standing : undefined
}

/** Everything that a change of these items gives or takes, compared with what somebody has. */
export function refuseUnreached(
  by: Pick<Principal, 'roles'>,
  roles: readonly Role[],
  change: { readonly items: readonly ChangedItem[]; readonly grants: readonly Grant[] },
): Refusal | undefined {
  const isRule = change.items.some(({ kind }) => kind === 'file')
  if (isRule && refuseBeyondReach(by, roles, [everything]) !== undefined) return refuse(changeRefusals.filesBeyondReach)
  return refuseBeyondReach(by, roles, change.grants)
}
