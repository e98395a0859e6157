/**
 * What does this room offer to the others?
 * Stops: decisions and holds from before a change, once `refresh` was called.
 * Trusts: the database's revision; the principal it is given.
 * Fails: when the policy or the holds cannot be loaded, `refresh` and `findHold` throw and `decide` denies.
 */
import { hash } from 'node:crypto'
import type { Ledger } from '#audit'
import { Fault, type Clock } from '#kernel'
import type { Database } from '#platform/database'
import type { Log } from '#platform/telemetry'
import { createChanges, type PolicyChanges } from './change/changes.ts'
import type { ChangeNeeds } from './change/drafts.ts'
import { recordFourEyes } from './change/four-eyes.ts'
import { roleChecks } from './change/role-checks.ts'
import { createShadowWatch, type ShadowWatch } from './change/watch-shadows.ts'
import { type Budgets, createBudgets } from './budgets/create-budgets.ts'
import { type BudgetIndex, readBudgets } from './budgets/index-budgets.ts'
import { createDecide, createShadowsOf } from './decide.ts'
import { policyEvents } from './events.ts'
import { createFlow, type Flow } from './flow/flow.ts'
import { findInForce, findOnAddress, type HeldQuestion, indexHolds, type HoldIndex } from './holds/find-hold.ts'
import type { Hold } from './holds/hold.ts'
import { createHolds, readHoldsInForce, type Holds } from './holds/holds.ts'
import { createRefresh } from './refresh.ts'
import { isKeptDistrusted, keepDistrusted } from './rejudge/distrust.ts'
import { countRejudged, type RejudgeMeter, type RejudgeOutcome } from './rejudge/metrics.ts'
import { createRejudging, type Rejudging } from './rejudge/rejudge.ts'
import { createReplays, type Replays } from './replay/create-replays.ts'
import { createReviews, type ReviewNeeds, type Reviews } from './reviews/create-reviews.ts'
import { createRoles, type Roles } from './roles/roles.ts'
import { seedDemoRoles, seedShippedRoles } from './roles/seed.ts'
import { createSurroundings, type Surroundings } from './settings.ts'
import { createSnapshotLoader, prepareSnapshot, type LoadedSnapshot } from './snapshot/load.ts'
import type { Snapshot } from './snapshot/store.ts'

export interface Policy {
  /**
   * May the principal do this to that? Synchronous, never throws, denies by default; calls and lists ask the same.
   * Says what was true at the last `refresh`. Holds are not part of it: ask `findHold`.
   */
  readonly decide: ReturnType<typeof createDecide>
  /** What the rules that are judged aside would have done, for a question that `decide` was asked. Never throws. */
  readonly shadowsOf: ReturnType<typeof createShadowsOf>
  /**
   * To be called once per exchange, before `decide` and `findHold`. Returns at once when nothing has changed.
   * @throws Fault `policy.unavailable`, at once or as a rejection: then refuse everything
   */
  refresh(): void | Promise<void>
  /**
   * The hold in force on this person, their client, their address or what they ask for; on the person first, then on
   * everything. With `castellan`: on the person or service account only, as the admin plane is where holds are lifted.
   * @throws Fault `policy.unavailable` after a failed `refresh`
   */
  findHold(asked: HeldQuestion): Hold | undefined
  /** The hold in force on this address, asked before anybody is known. @throws as `findHold` */
  findAddressHold(address: string): Hold | undefined
  readonly holds: Holds
  readonly budgets: Budgets
  readonly flow: Flow
  /** Whether any rule in force may go by what a client has met; as of the last `refresh`. */
  readsFlow(): boolean
  /** Likewise by what the person has consented to. */
  readsConsents(): boolean
  readonly roles: Roles
  readonly changes: PolicyChanges
  /** Counts what rules that are judged aside would have changed. */
  readonly shadows: ShadowWatch
  readonly replays: Replays
  readonly reviews: Reviews
  /** The snapshot in force. @throws Fault `policy.unavailable` after a failed `refresh` */
  snapshot(): Snapshot
  /** Whether everything is denied, because the official engine disagreed with a decision by the rules in force. */
  isDistrusted(): boolean
  /** Of the rule with this id in the snapshot in force: changes when, and only when, it is written anew. */
  ruleFingerprint(rule: string): string | undefined
  /** Adds the demo roles when the roles are still as first shipped; otherwise does nothing. */
  seedDemoRoles(): Promise<void>
}

const plainSettings = { timeZone: 'UTC', networks: [] }

export interface PolicyNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  /** Swapped when the configuration is reloaded. Without it, times are of UTC and no network has a name. */
  readonly surroundings?: { readonly current: Surroundings }
  /** Told when the official engine disagrees. */
  readonly log?: Pick<Log, 'error'>
  /** Counts what the official engine said. */
  readonly meter?: RejudgeMeter
}

/** WHY: everything is denied by then; an entry that cannot be written must not stop that. */
function alarmed(needs: PolicyNeeds, share: () => number, peek: () => Live | undefined) {
  const { ledger, log, meter } = needs
  let count: ((outcome: RejudgeOutcome) => void) | undefined
  const rejudging: Rejudging = createRejudging({
    share,
    onJudged: (outcome) => count?.(outcome),
    isDistrustedElsewhere(loaded) {
      const live = peek()
      return live?.isDistrusted === true && live.snapshot === loaded
    },
    onDisagreement(found) {
      const { snapshotVersion, rulesHash } = found
      void keepDistrusted(needs, { version: snapshotVersion, rulesHash })
      log?.error('policy.distrusted', 'the official engine disagreed with a decision; everything is denied', {
        snapshotVersion,
      })
      const entry = ledger.append(policyEvents.distrusted, { outcome: 'failed', details: { ...found } })
      void entry.catch(() => undefined)
    },
  })
  const isDistrusted = () => {
    const live = peek()
    return live !== undefined && rejudging.isDistrusted(live.snapshot)
  }
  if (meter !== undefined) count = countRejudged(meter, isDistrusted)
  return { rejudging, isDistrusted }
}

interface Live {
  readonly snapshot: LoadedSnapshot
  /** Whether some node found that the official engine disagrees with it. */
  readonly isDistrusted: boolean
  readonly holds: HoldIndex
  readonly budgets: BudgetIndex
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
      const budgets = await readBudgets(database.query)
      const snapshot = await loadSnapshot()
      live = { snapshot, isDistrusted: await isKeptDistrusted(database.query, snapshot), holds, budgets }
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

function fingerprintOf(loaded: LoadedSnapshot | undefined, id: string): string | undefined {
  const rule = loaded?.rules.get(id)
  return rule && hash('sha256', rule.text, 'base64url')
}

function shownSnapshot({ version, hash: snapshotHash, cedar }: LoadedSnapshot): Snapshot {
  return { version, hash: snapshotHash, cedar }
}

/** What reviews see of what is in force. */
function seenInReviews(read: () => Live, clock: Clock): Pick<ReviewNeeds, 'rules' | 'holdOn'> {
  return {
    rules() {
      const { version, rules } = read().snapshot
      return { version, rules: rules.values() }
    },
    holdOn: (personId) => findInForce(read().holds, { personId }, clock.now())?.id ?? null,
  }
}

/**
 * Makes the room, with the shipped roles in the database and the newest snapshot loaded.
 * @throws Fault `policy.unavailable` when the database holds a policy that cannot be trusted
 */
export async function createPolicy(needs: PolicyNeeds): Promise<Policy> {
  await seedShippedRoles(needs)
  const { surroundings = { current: createSurroundings({ policy: plainSettings }) } } = needs
  await recordFourEyes(needs, surroundings.current.isFourEyes)
  const { peek, read, refresh } = createLive(needs)
  await refresh()
  // WHY: the change is committed and reported as such; if it cannot be loaded here, this process denies everything.
  const changed = () => new Promise<void>((done) => done(refresh())).catch(() => undefined)
  const withChanged = { ...needs, changed }
  const asked = { surroundings: () => surroundings.current, now: () => needs.clock.now() }
  const life: ChangeNeeds = {
    ...withChanged,
    isFourEyes: () => surroundings.current.isFourEyes,
    networks: () => surroundings.current.networkNames,
    decideBy(compiled, version) {
      const draft = prepareSnapshot({ version, hash: '', cedar: compiled.cedar }, compiled)
      return createDecide({ ...asked, current: () => draft })
    },
  }
  const deciding = { ...asked, current: () => peek()?.snapshot }
  const shadowsOf = createShadowsOf(deciding)
  const { rejudging, isDistrusted } = alarmed(needs, () => surroundings.current.rejudgeShare, peek)
  return {
    decide: createDecide({ ...deciding, rejudging }),
    shadowsOf,
    isDistrusted,
    refresh,
    findHold: (asked) => findInForce(read().holds, asked, needs.clock.now()),
    findAddressHold: (address) => findOnAddress(read().holds, address, needs.clock.now()),
    holds: createHolds(withChanged),
    budgets: createBudgets({
      ...withChanged,
      timeZone: () => surroundings.current.timeZone,
      index: () => read().budgets,
    }),
    flow: createFlow(needs),
    readsFlow: () => peek()?.snapshot.readsFlow === true,
    readsConsents: () => peek()?.snapshot.readsConsents === true,
    roles: createRoles({ ...withChanged, checks: roleChecks(life) }),
    changes: createChanges(life),
    shadows: createShadowWatch({
      ...needs,
      shadowsOf,
      current() {
        const loaded = peek()?.snapshot
        return loaded && { version: loaded.version, hasShadows: loaded.judgeShadows !== undefined }
      },
    }),
    replays: createReplays({ ...needs, deciding }),
    reviews: createReviews({ ...life, ...seenInReviews(read, needs.clock) }),
    snapshot: () => shownSnapshot(read().snapshot),
    ruleFingerprint: (id) => fingerprintOf(peek()?.snapshot, id),
    async seedDemoRoles() {
      await seedDemoRoles(needs)
      await changed()
    },
  }
}
