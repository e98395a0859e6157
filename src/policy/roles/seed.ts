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
import type { CameFrom } from '../snapshot/document.ts'
import { readRoles, readVerified, type Rows, type VerifiedPolicy } from '../snapshot/store.ts'
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

interface Seeded {
  /** What was in force; undefined in a new database. */
  readonly before: VerifiedPolicy | undefined
  readonly roles: readonly Role[]
  readonly change: 'seeded' | 'recompiled'
  readonly createdAt: number
}

async function publishSeeded(rows: Rows, record: RecordEvent, { before, roles, change, createdAt }: Seeded) {
  const version = (before?.snapshot.version ?? 0) + 1
  const cameFrom: CameFrom = change === 'seeded' ? { kind: change } : { kind: change, version: version - 1 }
  const made = { author: null, publisher: null, note: '', cameFrom }
  const { files = [], tests = [] } = before?.document ?? {}
  const snapshot = await publish(rows, { version, document: { form: 1, roles, files, tests, ...made }, createdAt })
  if (isRefusal(snapshot)) throw new Fault('policy.unavailable', `the shipped roles do not compile: ${snapshot.says}`)
  const names = roles.map((role) => role.name)
  await record(policyEvents.published, { details: { change, roles: names, version, hash: snapshot.hash } })
}

/**
 * Writes the shipped roles and a snapshot with them, in a new database or when the program ships others than before or
 * compiles the same to another text.
 * @throws Fault `policy.unavailable` when the database holds a policy that cannot be trusted
 */
export async function seedShippedRoles({ database, ledger, clock }: Needs): Promise<void> {
  await recordChange(database, ledger, async (rows, record) => {
    const now = clock.now()
    const complete = shippedRoles.map((role) => ({ ...role, updatedAt: now }))
    const stored = await readVerified(rows, true)
    if (stored === undefined && (await readRoles(rows)).length > 0) {
      throw new Fault(
        'policy.unavailable',
        'there are roles without a policy snapshot: the database was changed from outside',
      )
    }
    const found = new Map(stored?.roles.map((role) => [role.name, role]))
    const stale = complete.filter((role) => !isSame(role, found.get(role.name)))
    if (stored?.isOwnForm === true && stale.length === 0) return
    const change = stored === undefined || stale.length > 0 ? 'seeded' : 'recompiled'
    for (const role of stale) {
      await writeRole(rows, role)
      found.set(role.name, role)
    }
    await publishSeeded(rows, record, { before: stored, roles: [...found.values()], change, createdAt: now })
  })
}

/** Adds the demo roles, unless the roles were ever changed: what an administrator removed does not come back. */
export async function seedDemoRoles({ database, ledger, clock }: Needs): Promise<void> {
  await recordChange(database, ledger, async (rows, record) => {
    const before = await readCurrent(rows)
    if (before.snapshot.version !== 1) return
    const now = clock.now()
    const added = demoRoles.map((role) => ({ ...role, updatedAt: now }))
    for (const role of added) await writeRole(rows, role)
    await publishSeeded(rows, record, { before, roles: [...before.roles, ...added], change: 'seeded', createdAt: now })
  })
}
