/**
 * What does this room offer to the others?
 * Stops: decisions and holds from before a change, once `refresh` was called.
 * Trusts: the database's revision; the principal it is given.
 * Fails: when the policy or the holds cannot be loaded, `refresh` and `findHold` throw and `decide` denies.
 */
import type { Ledger } from '#audit'
import { Fault, type Clock } from '#kernel'
import type { Database } from '#platform/database'
import { createDecide } from './decide.ts'
import type { Asked } from './explain.ts'
import { findInForce, indexHolds, type HoldIndex } from './holds/find-hold.ts'
import type { Hold } from './holds/hold.ts'
import { createHolds, readHoldsInForce, type Holds } from './holds/holds.ts'
import { createRefresh } from './refresh.ts'
import { createRoles, type Roles } from './roles/roles.ts'
import { seedDemoRoles, seedShippedRoles } from './roles/seed.ts'
import { createSnapshotLoader, type LoadedSnapshot } from './snapshot/load.ts'
import type { Snapshot } from './snapshot/store.ts'

export interface Policy {
  /**
   * May the principal do this to that? Synchronous, never throws, denies by default; calls and lists ask the same.
   * Says what was true at the last `refresh`. Holds are not part of it: ask `findHold`.
   */
  readonly decide: ReturnType<typeof createDecide>
  /**
   * To be called once per exchange, before `decide` and `findHold`. Returns at once when nothing has changed.
   * @throws Fault `policy.unavailable`, at once or as a rejection: then refuse everything
   */
  refresh(): void | Promise<void>
  /**
   * The hold in force on this person or on what they ask for; on the person first, then on everything. Without a target:
   * on the person or everything. With `castellan`: on the person only, as the admin plane is where holds are lifted.
   * @throws Fault `policy.unavailable` after a failed `refresh`
   */
  findHold(asked: { readonly personId: string; readonly target?: Asked }): Hold | undefined
  readonly holds: Holds
  readonly roles: Roles
  /** The snapshot in force. @throws Fault `policy.unavailable` after a failed `refresh` */
  snapshot(): Snapshot
  /** Adds the demo roles when the roles are still as first shipped; otherwise does nothing. */
  seedDemoRoles(): Promise<void>
}

interface Live {
  readonly snapshot: LoadedSnapshot
  readonly holds: HoldIndex
}

function unavailable(cause: unknown): Fault {
  if (cause instanceof Fault && cause.code === 'policy.unavailable') return cause
  return new Fault('policy.unavailable', 'the policy could not be loaded', { cause })
}

/** What is in force in this process, reloaded when the database has changed. */
function createLive({ database, clock }: { database: Database; clock: Clock }) {
  const loadSnapshot = createSnapshotLoader(database.query)
  let live: Live | undefined

  async function load(): Promise<void> {
    try {
      const holds = indexHolds(await readHoldsInForce(database.query, clock.now()))
      live = { snapshot: await loadSnapshot(), holds }
    } catch (cause) {
      live = undefined
      throw unavailable(cause)
    }
  }

  const reload = createRefresh(() => database.revision(), load)
  return {
    peek: () => live,
    read(): Live {
      if (live === undefined) throw new Fault('policy.unavailable', 'no policy is loaded')
      return live
    },
    refresh(): void | Promise<void> {
      try {
        return reload()
      } catch (cause) {
        live = undefined
        throw unavailable(cause)
      }
    },
  }
}

/**
 * Makes the room, with the shipped roles in the database and the newest snapshot loaded.
 * @throws Fault `policy.unavailable` when the database holds a policy that cannot be trusted
 */
export async function createPolicy(needs: { database: Database; ledger: Ledger; clock: Clock }): Promise<Policy> {
  await seedShippedRoles(needs)
  const { peek, read, refresh } = createLive(needs)
  await refresh()
  // WHY: the change is committed and reported as such; if it cannot be loaded here, this process denies everything.
  const changed = () => new Promise<void>((done) => done(refresh())).catch(() => undefined)
  const withChanged = { ...needs, changed }
  return {
    decide: createDecide(() => peek()?.snapshot),
    refresh,
    findHold: (asked) => findInForce(read().holds, asked, needs.clock.now()),
    holds: createHolds(withChanged),
    roles: createRoles(withChanged),
    snapshot() {
      const { version, hash, cedar } = read().snapshot
      return { version, hash, cedar }
    },
    async seedDemoRoles() {
      await seedDemoRoles(needs)
      await changed()
    },
  }
}
