/**
 * Which role do the members of a group have? What an administrator says, for the members there are and those to come.
 * Stops: a directory that gives a role which nobody mapped; `admin` by an oversight.
 * Trusts: the caller to have decided that `by` may give this role. Fails closed: no entry in the ledger, no change.
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { adminRole } from '../enrolment/links.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { groupMapped, groupUnmapped } from '../scim/events.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { findConnection } from './connections.ts'
import { type RoleChanges, holdersOf, syncRoles } from './sync-roles.ts'

const longestGroup = 500

export interface Mapping {
  readonly connection: string
  /** The displayName of the group, to the letter. */
  readonly group: string
  readonly role: string
}

export interface Mappings {
  /** @param isAdministrationMeant said by whoever maps the role `admin` */
  map(mapping: Mapping & { readonly isAdministrationMeant: boolean }, by: Actor): Promise<RoleChanges | Refusal>
  unmap(mapping: Mapping, by: Actor): Promise<RoleChanges | Refusal>
}

function rowsOf(transaction: Query, { connection, group, role }: Mapping) {
  return transaction
    .selectFrom('scim_mappings')
    .select('role')
    .where('connection', '=', connection)
    .where('group_name', '=', group)
    .where('role', '=', role)
}

/** Whoever is in the group, and whoever has a role by the connection. */
async function concerned(transaction: Query, { connection, group }: Mapping): Promise<string[]> {
  const members = await transaction
    .selectFrom('scim_members')
    .innerJoin('scim_groups', 'scim_groups.id', 'scim_members.group_id')
    .select('person_id')
    .where('scim_groups.connection', '=', connection)
    .where('scim_groups.display_name', '=', group)
    .execute()
  const holders = await holdersOf(transaction, connection)
  return [...new Set([...members.map((row) => row.person_id), ...holders])]
}

async function map(parts: Parts, transaction: Query, mapping: Mapping, by: Actor): Promise<RoleChanges | Refusal> {
  const { connection, group, role } = mapping
  const found = await findConnection(transaction, connection)
  if (isRefusal(found)) return found
  const known = await transaction.selectFrom('roles').select('name').where('name', '=', role).executeTakeFirst()
  if (known === undefined) return refuse(refusals.roleUnknown, { names: { role } })
  const nowMs = parts.clock.now()
  await transaction
    .insertInto('scim_mappings')
    .values({ connection, group_name: group, role, created_at: nowMs, created_by: by.id })
    .onConflict((conflict) => conflict.columns(['connection', 'group_name', 'role']).doNothing())
    .execute()
  return syncRoles(transaction, { connection, people: await concerned(transaction, mapping), nowMs })
}

async function unmap(parts: Parts, transaction: Query, mapping: Mapping): Promise<RoleChanges | Refusal> {
  const { connection, group, role } = mapping
  const found = await findConnection(transaction, connection)
  if (isRefusal(found)) return found
  if ((await rowsOf(transaction, mapping).executeTakeFirst()) === undefined) return refuse(scimRefusals.mappingUnknown)
  await transaction
    .deleteFrom('scim_mappings')
    .where('connection', '=', connection)
    .where('group_name', '=', group)
    .where('role', '=', role)
    .execute()
  const people = await concerned(transaction, mapping)
  return syncRoles(transaction, { connection, people, nowMs: parts.clock.now() })
}

export function createMappings(parts: Parts): Mappings {
  const fields = (mapping: Mapping, by: Actor, changes: RoleChanges) => ({
    principal: { id: by.id, name: by.name },
    outcome: 'succeeded' as const,
    details: { connection: mapping.connection, group: mapping.group, role: mapping.role, ...changes },
  })
  return {
    async map({ isAdministrationMeant, ...mapping }, by) {
      const { group, role } = mapping
      if (group === '' || group.length > longestGroup || group.includes('\u0000')) {
        return refuse(scimRefusals.connectionInvalid, { names: { problem: 'group' } })
      }
      if (role === adminRole && !isAdministrationMeant) return refuse(scimRefusals.administrationUnsaid)
      return recordChange<RoleChanges>(parts, {
        work: (transaction) => map(parts, transaction, mapping, by),
        tell: (changes) => [groupMapped, fields(mapping, by, changes)],
      })
    },
    unmap: (mapping, by) =>
      recordChange<RoleChanges>(parts, {
        work: (transaction) => unmap(parts, transaction, mapping),
        tell: (changes) => [groupUnmapped, fields(mapping, by, changes)],
      }),
  }
}
