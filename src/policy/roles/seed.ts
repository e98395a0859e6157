/**
 * Are the shipped roles there, as this program ships them?
 * Stops: two nodes that start at once seeding twice; a tampered policy that a start would make good.
 * Trusts: `readVerified`, and the database to run one transaction at a time.
 * Fails: a database whose policy cannot be trusted stops start-up.
 */
import type { Ledger } from '#audit'
import { Fault, isRefusal, type Clock } from '#kernel'
import type { Database } from '#platform/database'
import { policyEvents } from '../events.ts'
import { recordChange, type RecordEvent } from '../record-change.ts'
import { publish, readCurrent, writeRole } from '../snapshot/publish.ts'
import { readRoles, readVerified, type Rows } from '../snapshot/store.ts'
import type { Role } from './role.ts'
import { demoRoles, shippedRoles } from './shipped.ts'

interface Needs {
  database: Database
  ledger: Ledger
  clock: Clock
}

function isSame(one: Pick<Role, 'grants' | 'description' | 'isShipped'>, other: typeof one | undefined): boolean {
  if (other === undefined || one.description !== other.description || one.isShipped !== other.isShipped) return false
  return JSON.stringify(one.grants) === JSON.stringify(other.grants)
}

async function publishSeeded(rows: Rows, record: RecordEvent, version: number, roles: Role[], createdAt: number) {
  const snapshot = await publish(rows, { version, roles, createdAt, createdBy: null })
  if (isRefusal(snapshot)) throw new Fault('policy.unavailable', `the shipped roles do not compile: ${snapshot.says}`)
  const names = roles.map((role) => role.name)
  await record(policyEvents.published, { details: { change: 'seeded', roles: names, version, hash: snapshot.hash } })
}

/**
 * Writes the shipped roles and a snapshot with them, in a new database or when the program ships others than before.
 * @throws Fault `policy.unavailable` when the database holds a policy that cannot be trusted
 */
export async function seedShippedRoles({ database, ledger, clock }: Needs): Promise<void> {
  await recordChange(database, ledger, async (rows, record) => {
    const now = clock.now()
    const complete = shippedRoles.map((role) => ({ ...role, updatedAt: now }))
    const stored = await readVerified(rows)
    if (stored === undefined && (await readRoles(rows)).length > 0) {
      throw new Fault(
        'policy.unavailable',
        'there are roles without a policy snapshot: the database was changed from outside',
      )
    }
    const found = new Map(stored?.roles.map((role) => [role.name, role]))
    const stale = complete.filter((role) => !isSame(role, found.get(role.name)))
    if (stored !== undefined && stale.length === 0) return
    for (const role of stale) {
      await writeRole(rows, role)
      found.set(role.name, role)
    }
    await publishSeeded(rows, record, (stored?.snapshot.version ?? 0) + 1, [...found.values()], now)
  })
}

/** Adds the demo roles, unless the roles were ever changed: what an administrator removed does not come back. */
export async function seedDemoRoles({ database, ledger, clock }: Needs): Promise<void> {
  await recordChange(database, ledger, async (rows, record) => {
    const { snapshot, roles } = await readCurrent(rows)
    if (snapshot.version !== 1) return
    const now = clock.now()
    const added = demoRoles.map((role) => ({ ...role, updatedAt: now }))
    for (const role of added) await writeRole(rows, role)
    await publishSeeded(rows, record, 2, [...roles, ...added], now)
  })
}
