/**
 * Which snapshot is in force in this process?
 * Stops: judging by a snapshot that was not verified; a published version that changes or goes back.
 * Trusts: `readVerified`.
 * Fails: nothing is in force, and the caller gets the Fault.
 */
import { hash as digest } from 'node:crypto'
import { setImmediate as others } from 'node:timers/promises'
import { Fault } from '#kernel'
import type { CompiledPolicy, CompiledRule } from '../cedar/source.ts'
import { createDecisionCache, type DecisionCache } from '../decision-cache.ts'
import { compileInSlices, compileRules, type Rules } from '../evaluate/compile-rules.ts'
import type { Outcome } from '../judge-question.ts'
import { createPlainAnswers, type PlainAnswers } from '../plain-answers.ts'
import { createShadows } from '../shadows.ts'
import { readHead, readVerified, type Rows, type Snapshot } from './store.ts'

export interface LoadedSnapshot extends Snapshot {
  /** SHA-256 in hex of the texts of the rules that decide, with NUL between them: the same for the same rules. */
  readonly rulesHash: string
  /** Every rule by its id, those that are judged aside among them. */
  readonly rules: ReadonlyMap<string, CompiledRule>
  /** Ids of the rules that have a remedy. */
  readonly remedied: ReadonlySet<string>
  /** Whether any rule, also one that is judged aside, may go by what a client has met. */
  readonly readsFlow: boolean
  /** Likewise by what the person has consented to. */
  readonly readsConsents: boolean
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

/** WHY: an attribute of that name of anything else costs a reading, and nothing more. */
function mayRead(attribute: 'flow' | 'consents'): (rule: CompiledRule) => boolean {
  return ({ json }) => JSON.stringify(json).includes(`"attr":"${attribute}"`)
}

const mayReadFlow = mayRead('flow')
const mayReadConsents = mayRead('consents')

/** What is made of the rules one by one. */
type Judged = Pick<LoadedSnapshot, 'judged' | 'readsFlow' | 'readsConsents'>

function decidingIn(rules: readonly CompiledRule[]): CompiledRule[] {
  return rules.filter(({ isShadow }) => !isShadow)
}

/** Makes a snapshot ready to be asked. @throws Fault `policy.unreadable` for rules that cannot be judged */
export function prepareSnapshot(snapshot: Snapshot, { rules }: CompiledPolicy): LoadedSnapshot {
  const judged = compileRules(decidingIn(rules))
  const reads = { readsFlow: rules.some(mayReadFlow), readsConsents: rules.some(mayReadConsents) }
  return withJudged(snapshot, rules, { judged, ...reads })
}

const rulesInSlice = 200

/** As `prepareSnapshot`, with pauses that leave the thread to others. @throws Fault `policy.unreadable` as that */
export async function prepareInSlices(snapshot: Snapshot, { rules }: CompiledPolicy): Promise<LoadedSnapshot> {
  const judged = await compileInSlices(decidingIn(rules), others)
  const reads = { readsFlow: false, readsConsents: false }
  for (let from = 0; from < rules.length; from += rulesInSlice) {
    const slice = rules.slice(from, from + rulesInSlice)
    reads.readsFlow ||= slice.some(mayReadFlow)
    reads.readsConsents ||= slice.some(mayReadConsents)
    await others()
  }
  return withJudged(snapshot, rules, { judged, ...reads })
}

function withJudged(snapshot: Snapshot, rules: readonly CompiledRule[], judged: Judged): LoadedSnapshot {
  const { version, hash, cedar } = snapshot
  return {
    ...judged,
    version,
    hash,
    cedar,
    rulesHash: digest(
      'sha256',
      decidingIn(rules)
        .map(({ text }) => text)
        .join('\u0000'),
    ),
    rules: new Map(rules.map((rule) => [rule.id, rule])),
    remedied: new Set(rules.flatMap(({ id, remedy }) => (remedy === undefined ? [] : [id]))),
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
    const prepared = await prepareInSlices(verified.snapshot, verified.compiled)
    seen = verified.snapshot
    loaded = prepared
    return loaded
  }
}
