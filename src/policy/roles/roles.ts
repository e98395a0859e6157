/**
 * Who changes what roles allow, and who has them?
 * Stops: changed shipped roles; rights beyond those of who gives them; the loss of the last administrator.
 * Trusts: its caller to have decided that `by` may change roles; the transaction to be the only one.
 * Fails: refused or not recorded, nothing changes.
 */
import { isRefusal, refuse, type Principal, type Refusal } from '#kernel'
import type { CompiledPolicy } from '../cedar/source.ts'
import { policyEvents } from '../events.ts'
import { recordChange, type RecordEvent } from '../record-change.ts'
import { policyRefusals } from '../refusals.ts'
import type { PolicyContents } from '../snapshot/document.ts'
import { publish, readCurrent, writeRole } from '../snapshot/publish.ts'
import { readRoles, type Rows, type VerifiedPolicy } from '../snapshot/store.ts'
import { createRoleHolders, type RoleHolders, type RoleNeeds } from './role-holders.ts'
import { refuseBeyondReach } from './reach.ts'
import { refuseForService } from './service-reach.ts'
import { checkRole, type Grant, plainGrant, type Role } from './role.ts'

export interface ProposedRole {
  readonly name: string
  readonly description: string
  readonly owner?: string
  readonly grants: readonly Grant[]
}

/** Every change is durable and recorded when it resolves, and in force in each process from its next `refresh` on. */
export interface Roles extends RoleHolders {
  /** By name. */
  list(): Promise<Role[]>
  find(name: string): Promise<Role | undefined>
  /** Makes or replaces a role and publishes the next snapshot. */
  put(role: ProposedRole & { readonly by: Principal }): Promise<Role | Refusal>
  /** Removes a role, also from everybody who has it, and publishes the next snapshot. */
  remove(name: string, by: Principal): Promise<Role | Refusal>
  /**
   * A refusal when `by` may not give these roles to anybody: unknown ones, or more than `by` has.
   * @param program that is to have them; nothing that changes the admin plane is given to one
   */
  refuseGiving(
    roles: readonly string[],
    by: Principal,
    program?: { readonly mayReadAdmin: boolean },
  ): Promise<Refusal | undefined>
}

function refuseChange(current: VerifiedPolicy, name: string, grants: readonly Grant[], by: Principal) {
  const former = current.roles.find((role) => role.name === name)
  if (former?.isShipped === true) return refuse(policyRefusals.roleShipped, { names: { role: name } })
  return refuseBeyondReach(by, current.roles, [...(former?.grants ?? []), ...grants])
}

/** What would be in force after a change. */
export interface NextPolicy {
  readonly contents: PolicyContents
  readonly compiled: CompiledPolicy
  readonly version: number
}

/** What stands between one person and a change of roles. */
export interface RoleChecks {
  /** A refusal where two persons change the policy. */
  refuseAlone(): Refusal | undefined
  /** A refusal when the tests that are kept with the policy would fail, or nobody could change it again. */
  refuseUnfit(rows: Rows, next: NextPolicy): Promise<Refusal | undefined>
}

interface Occasion {
  readonly by: Principal
  readonly now: number
  readonly checks: RoleChecks
}

async function publishChange(
  rows: Rows,
  record: RecordEvent,
  change: Occasion & {
    current: VerifiedPolicy
    roles: readonly Role[]
    role: string
    changed?: Role
    details: object
  },
): Promise<Refusal | undefined> {
  const { current, roles, by, now, checks } = change
  const version = current.snapshot.version + 1
  const cameFrom = { kind: 'role', role: change.role } as const
  const { files, tests } = current.document
  const made = { author: by.id, publisher: by.id, note: '', cameFrom }
  const snapshot = await publish(rows, {
    version,
    document: { form: 1, roles, files, tests, ...made },
    createdAt: now,
    check: (compiled) => checks.refuseUnfit(rows, { contents: { roles, files, tests }, compiled, version }),
  })
  if (isRefusal(snapshot)) return snapshot
  if (change.changed !== undefined) await writeRole(rows, change.changed)
  const details = { ...change.details, version, hash: snapshot.hash }
  await record(policyEvents.published, { principal: by, details })
  return undefined
}

async function put(rows: Rows, record: RecordEvent, proposed: ProposedRole, occasion: Occasion) {
  const { by, now } = occasion
  const { name, description, owner } = proposed
  const owned = owner === undefined ? {} : { owner }
  const grants = proposed.grants.map(plainGrant)
  const current = await readCurrent(rows)
  const refusal = refuseChange(current, name, grants, by)
  if (refusal !== undefined) return refusal
  const role: Role = { name, description, ...owned, grants, isShipped: false, updatedAt: now }
  // INVARIANT: a new role begins with nobody, also when an old invitation gave its name to somebody.
  const isNew = current.roles.every((other) => other.name !== name)
  if (isNew) await rows.deleteFrom('role_grants').where('role', '=', name).execute()
  if (isNew) await rows.deleteFrom('scim_mappings').where('role', '=', name).execute()
  const roles = [...current.roles.filter((other) => other.name !== name), role]
  const details = { change: 'put', role: name, description, ...owned, grants }
  const invalid = await publishChange(rows, record, { ...occasion, current, roles, role: name, changed: role, details })
  return invalid ?? role
}

async function remove(rows: Rows, record: RecordEvent, name: string, occasion: Occasion) {
  const { by } = occasion
  const current = await readCurrent(rows)
  const role = current.roles.find((one) => one.name === name)
  if (role === undefined) return refuse(policyRefusals.roleUnknown, { names: { role: name } })
  const refusal = refuseChange(current, name, [], by)
  if (refusal !== undefined) return refusal
  await rows.deleteFrom('roles').where('name', '=', name).execute()
  const holders = await rows.deleteFrom('role_grants').where('role', '=', name).returning('person_id').execute()
  const details = { change: 'removed', role: name, takenFrom: holders.map((row) => row.person_id) }
  const roles = current.roles.filter((one) => one.name !== name)
  return (await publishChange(rows, record, { ...occasion, current, roles, role: name, details })) ?? role
}

export function createRoles(needs: RoleNeeds & { readonly checks: RoleChecks }): Roles {
  const { database, ledger, clock, changed, checks } = needs
  const find = async (name: string) => (await readRoles(database.query)).find((role) => role.name === name)
  return {
    ...createRoleHolders(needs),
    list: () => readRoles(database.query),
    find,

    async put({ by, ...proposed }) {
      const refusal = checks.refuseAlone() ?? checkRole(proposed)
      if (refusal !== undefined) return refusal
      const outcome = await recordChange(database, ledger, async (rows, record): Promise<Role | Refusal> =>
        put(rows, record, proposed, { by, now: clock.now(), checks }),
      )
      await changed()
      return outcome
    },

    async remove(name, by) {
      const refusal = checks.refuseAlone()
      if (refusal !== undefined) return refusal
      const outcome = await recordChange(database, ledger, async (rows, record): Promise<Role | Refusal> =>
        remove(rows, record, name, { by, now: clock.now(), checks }),
      )
      await changed()
      return outcome
    },

    async refuseGiving(names, by, program) {
      const roles = await readRoles(database.query)
      for (const name of names) {
        const role = roles.find((one) => one.name === name)
        if (role === undefined) return refuse(policyRefusals.roleUnknown, { names: { role: name } })
        const refusal = refuseBeyondReach(by, roles, role.grants) ?? (program && refuseForService(role, program))
        if (refusal !== undefined) return refusal
      }
      return undefined
    },
  }
}
