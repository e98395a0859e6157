/**
 * Which snapshot is in force in this process?
 * Stops: judging by a snapshot that was not verified; a published version that changes or goes back.
 * Trusts: `readVerified`.
 * Fails: nothing is in force, and the caller gets the Fault.
 */
import { Fault } from '#kernel'
import type { CompiledPolicy, CompiledRule } from '../cedar/source.ts'
import { createDecisionCache, type DecisionCache } from '../decision-cache.ts'
import { compileRules, type Rules } from '../evaluate/compile-rules.ts'
import type { Outcome } from '../judge-question.ts'
import { createPlainAnswers, type PlainAnswers } from '../plain-answers.ts'
import { createShadows } from '../shadows.ts'
import { readHead, readVerified, type Rows, type Snapshot } from './store.ts'

export interface LoadedSnapshot extends Snapshot {
  /** Every rule by its id, those that are judged aside among them. */
  readonly rules: ReadonlyMap<string, CompiledRule>
  /** Ids of the rules that have a remedy. */
  readonly remedied: ReadonlySet<string>
  /** Whether any rule, also one that is judged aside, may go by what a client has met. */
  readonly readsFlow: boolean
  /** The rules that decide. */
  readonly judged: Rules
  /** The rules that are judged aside; undefined where there are none. */
  readonly judgeShadows: ReturnType<typeof createShadows>
  /** Lives and dies with the snapshot. */
  readonly cache: DecisionCache<Outcome>
  /** Likewise: decisions that rest on nothing but who and what. */
  readonly plainAnswers: PlainAnswers
}

const maxCachedDecisions = 20_000

/** Makes a snapshot ready to be asked. @throws Fault `policy.unreadable` for rules that cannot be judged */
export function prepareSnapshot(snapshot: Snapshot, { rules }: CompiledPolicy): LoadedSnapshot {
  const { version, hash, cedar } = snapshot
  return {
    version,
    hash,
    cedar,
    rules: new Map(rules.map((rule) => [rule.id, rule])),
    remedied: new Set(rules.flatMap(({ id, remedy }) => (remedy === undefined ? [] : [id]))),
    // WHY: an attribute of that name of anything else costs a reading, and nothing more.
    readsFlow: rules.some(({ json }) => JSON.stringify(json).includes('"attr":"flow"')),
    judged: compileRules(rules.filter(({ isShadow }) => !isShadow)),
    judgeShadows: createShadows(rules),
    cache: createDecisionCache(maxCachedDecisions),
    plainAnswers: createPlainAnswers(),
  }
}

/**
 * Makes a loader that keeps the verified snapshot until the version in the database moves.
 * The loader throws Fault `policy.unavailable` when there is no snapshot that can be trusted.
 */
export function createSnapshotLoader(rows: Rows): () => Promise<LoadedSnapshot> {
  let loaded: LoadedSnapshot | undefined
  let seen: Pick<Snapshot, 'version' | 'hash'> | undefined

  function refuseRewritten(head: Pick<Snapshot, 'version' | 'hash'>): void {
    const isRewritten =
      seen !== undefined && (head.version === seen.version ? head.hash !== seen.hash : head.version < seen.version)
    if (isRewritten) throw new Fault('policy.unavailable', 'a published policy snapshot was changed or taken back')
  }

  return async function load() {
    const head = await readHead(rows)
    if (head !== undefined) refuseRewritten(head)
    if (loaded !== undefined && head?.version === loaded.version) return loaded
    loaded = undefined
    const verified = await readVerified(rows)
    if (verified === undefined) throw new Fault('policy.unavailable', 'there is no policy snapshot')
    refuseRewritten(verified.snapshot)
    const prepared = prepareSnapshot(verified.snapshot, verified.compiled)
    seen = verified.snapshot
    loaded = prepared
    return loaded
  }
}
