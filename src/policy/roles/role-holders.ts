/**
 * Who has which role?
 * Stops: roles that do not exist; rights beyond those of who gives them; the loss of the last administrator.
 * Trusts: the transaction to be the only one, so that two administrators cannot remove each other.
 * Fails: refused or not recorded, nothing changes.
 */
import type { Ledger } from '#audit'
import { refuse, type Clock, type Kept, type Principal, type Refusal } from '#kernel'
import { type Database, loadTogether } from '#platform/database'
import { policyEvents } from '../events.ts'
import { recordChange, type RecordEvent } from '../record-change.ts'
import { policyRefusals } from '../refusals.ts'
import { readCurrent } from '../snapshot/publish.ts'
import type { Rows } from '../snapshot/store.ts'
import { otherAdmins } from './other-admins.ts'
import { refuseBeyondReach } from './reach.ts'
import { adminRole } from './role.ts'
import { refuseForHolder } from './service-reach.ts'

export interface RoleNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  /** Called after a change was committed. */
  readonly changed: () => Promise<void>
}

interface RoleOfPerson {
  readonly personId: string
  readonly role: string
  readonly by: Principal
}

export interface RoleHolders {
  /** Gives a role to a person; resolves to all roles of the person. Giving it twice changes nothing. */
  grant(change: RoleOfPerson): Promise<readonly string[] | Refusal>
  /** Takes a role from a person; resolves to the roles that are left. Taking what is not there changes nothing. */
  revoke(change: RoleOfPerson): Promise<readonly string[] | Refusal>
  /** The roles of a person, sorted; none for an unknown person. */
  of(personId: string): Promise<readonly string[]>
  /** The same with the groups that directories have them in, as `<directory>/<group>`. */
  keptOf(personId: string): Promise<Kept>
}

async function rolesOf(rows: Rows, personId: string): Promise<string[]> {
  const found = await rows.selectFrom('role_grants').select('role').where('person_id', '=', personId).execute()
  return found.map((row) => row.role).toSorted()
}

async function refuseHolding(rows: Rows, { personId, role, by }: RoleOfPerson): Promise<Refusal | undefined> {
  const { roles } = await readCurrent(rows)
  const known = roles.find((one) => one.name === role)
  if (known === undefined) return refuse(policyRefusals.roleUnknown, { names: { role } })
  const person = await rows.selectFrom('people').select('id').where('id', '=', personId).executeTakeFirst()
  if (person === undefined) return refuse(policyRefusals.personUnknown, { names: { person: personId } })
  return refuseBeyondReach(by, roles, known.grants)
}

/** INVARIANT: read in the transaction that gives the role. Whatever a program holds can be taken from it. */
async function refuseForProgram(rows: Rows, { personId, role }: RoleOfPerson): Promise<Refusal | undefined> {
  const known = (await readCurrent(rows)).roles.find((one) => one.name === role)
  return known && refuseForHolder(rows, personId, known)
}

async function grant(rows: Rows, record: RecordEvent, change: RoleOfPerson, now: number) {
  const refusal = (await refuseHolding(rows, change)) ?? (await refuseForProgram(rows, change))
  if (refusal !== undefined) return refusal
  const { personId, role, by } = change
  const inserted = await rows
    .insertInto('role_grants')
    .values({ person_id: personId, role, granted_at: now, granted_by: by.id })
    // WHY: what groups at a provider or directory gave becomes a role given by hand, which only a hand takes away.
    .onConflict((conflict) =>
      conflict
        .columns(['person_id', 'role'])
        .doUpdateSet({ granted_at: now, granted_by: by.id })
        .where((where) =>
          where.or([
            where('role_grants.granted_by', 'like', 'provider:%'),
            where('role_grants.granted_by', 'like', 'scim:%'),
          ]),
        ),
    )
    .returning('role')
    .executeTakeFirst()
  const roles = await rolesOf(rows, personId)
  if (inserted === undefined) return roles
  await record(policyEvents.roleGranted, { principal: by, details: { person: personId, role, roles } })
  return roles
}

/**
 * Takes a role in the running transaction; whether `by` may is for the caller to have asked.
 * @returns the roles that are left
 */
export async function takeRole(
  rows: Rows,
  record: RecordEvent,
  change: RoleOfPerson & { readonly details?: Readonly<Record<string, unknown>> },
): Promise<readonly string[] | Refusal> {
  const { personId, role, by, details } = change
  const held = await rolesOf(rows, personId)
  if (!held.includes(role)) return held
  if (role === adminRole && (await otherAdmins(rows, personId)).length === 0) {
    return refuse(policyRefusals.lastAdmin, { names: { role } })
  }
  await rows.deleteFrom('role_grants').where('person_id', '=', personId).where('role', '=', role).execute()
  const roles = held.filter((one) => one !== role)
  await record(policyEvents.roleRevoked, { principal: by, details: { person: personId, role, roles, ...details } })
  return roles
}

async function revoke(rows: Rows, record: RecordEvent, change: RoleOfPerson) {
  return (await refuseHolding(rows, change)) ?? takeRole(rows, record, change)
}

async function rolesOfMany(rows: Rows, personIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = await rows
    .selectFrom('role_grants')
    .select(['person_id', 'role'])
    .where('person_id', 'in', personIds)
    .execute()
  const roles = new Map<string, string[]>()
  for (const { person_id: personId, role } of found)
    roles.set(personId, [...(roles.get(personId) ?? []), role].toSorted())
  return roles
}

async function groupsOfMany(rows: Rows, personIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = await rows
    .selectFrom('scim_members')
    .innerJoin('scim_groups', 'scim_groups.id', 'scim_members.group_id')
    .select(['scim_members.person_id', 'connection', 'display_name'])
    .where('scim_members.person_id', 'in', personIds)
    .execute()
  const groups = new Map<string, readonly string[]>()
  for (const { person_id: personId, connection, display_name: name } of found)
    groups.set(personId, [...(groups.get(personId) ?? []), `${connection}/${name}`].toSorted())
  return groups
}

async function keptOfMany(rows: Rows, personIds: readonly string[]): Promise<ReadonlyMap<string, Kept>> {
  const [roles, groups] = [await rolesOfMany(rows, personIds), await groupsOfMany(rows, personIds)]
  return new Map(personIds.map((id) => [id, { roles: roles.get(id) ?? [], groups: groups.get(id) ?? [] }]))
}

export function createRoleHolders({ database, ledger, clock, changed }: RoleNeeds): RoleHolders {
  // WHY: streams that are judged again ask for many persons at the same moment.
  const loadRoles = loadTogether((personIds) => rolesOfMany(database.query, personIds))
  const loadKept = loadTogether((personIds) => keptOfMany(database.query, personIds))
  return {
    async grant(change) {
      const outcome = await recordChange(database, ledger, async (rows, record) =>
        grant(rows, record, change, clock.now()),
      )
      await changed()
      return outcome
    },
    async revoke(change) {
      const outcome = await recordChange(database, ledger, async (rows, record) => revoke(rows, record, change))
      await changed()
      return outcome
    },
    of: async (personId) => (await loadRoles(personId)) ?? [],
    keptOf: async (personId) => (await loadKept(personId)) ?? { roles: [], groups: [] },
  }
}
