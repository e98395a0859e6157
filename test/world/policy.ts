import { createLedger, type Ledger } from '#audit'
import { createId, type Clock, type Principal } from '#kernel'
import { createPolicy, createSurroundings, type Policy } from '#policy'
import type { Database } from '#platform/database'
import { onTestFinished } from 'vitest'
import { createTestClock, type TestClock } from './clock.ts'
import { temporaryDataFolder } from './folder.ts'

/** A principal as identity would make it. */
export function principalOf(id: string, name: string, ...roles: string[]): Principal {
  const credential = { kind: 'session', id: `session of ${name}`, expiresAt: 8_000_000_000_000 } as const
  return { id, name, roles: roles.toSorted(), factors: ['password', 'totp'], credential }
}

/** Writes a person with roles straight into the database, as if enrolled. */
export async function addPerson(
  database: Database,
  clock: Clock,
  name: string,
  ...roles: string[]
): Promise<Principal> {
  const now = clock.now()
  const id = createId(now)
  const times = { created_at: now, updated_at: now }
  const person = { id, name, display_name: name, status: 'active', password_hash: 'chosen', ...times } as const
  await database.query.insertInto('people').values(person).execute()
  for (const role of roles) {
    await database.query
      .insertInto('role_grants')
      .values({ person_id: id, role, granted_at: now, granted_by: null })
      .execute()
  }
  return principalOf(id, name, ...roles)
}

export interface PolicyWorld {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: TestClock
  readonly policy: Policy
  /** A person with the admin role. */
  readonly root: Principal
}

/** A ledger of its own in a folder that is removed after the running test. */
export async function openLedger(clock: Clock): Promise<Ledger> {
  const ledger = await createLedger({ dataFolder: temporaryDataFolder(), origin: 'test', clock })
  onTestFinished(() => ledger.close())
  return ledger
}

/** Policy over an empty database, with one administrator. */
export async function openPolicy(database: Database, settings: { fourEyes?: boolean } = {}): Promise<PolicyWorld> {
  const clock = createTestClock()
  const ledger = await openLedger(clock)
  const surroundings = { current: createSurroundings({ policy: { timeZone: 'UTC', networks: [], ...settings } }) }
  const policy = await createPolicy({ database, ledger, clock, surroundings })
  const root = await addPerson(database, clock, 'root', 'admin')
  await policy.refresh()
  return { database, ledger, clock, policy, root }
}
