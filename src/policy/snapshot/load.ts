/**
 * Which snapshot is in force in this process?
 * Stops: judging by a snapshot that was not verified; a published version that changes or goes back.
 * Trusts: `readVerified`.
 * Fails: nothing is in force, and the caller gets the Fault.
 */
import { Fault } from '#kernel'
import { createJudge, type Ask } from '../cedar/judge.ts'
import { createDecisionCache, type DecisionCache } from '../decision-cache.ts'
import type { Decision } from '../decide.ts'
import { readHead, readVerified, type Rows, type Snapshot } from './store.ts'

export interface LoadedSnapshot extends Snapshot {
  readonly ask: Ask
  /** The role and grant behind each Cedar policy. */
  readonly grants: ReadonlyMap<string, { readonly role: string; readonly grantNumber: number }>
  /** Lives and dies with the snapshot. */
  readonly cache: DecisionCache<Decision | 'not-granted'>
}

const maxCachedDecisions = 20_000

/**
 * Makes a loader that keeps the verified snapshot until the version in the database moves.
 * The loader throws Fault `policy.unavailable` when there is no snapshot that can be trusted.
 */
export function createSnapshotLoader(rows: Rows): () => Promise<LoadedSnapshot> {
  const prepare = createJudge()
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
    const { policies } = verified.compiled
    const ask = prepare(policies)
    seen = verified.snapshot
    loaded = {
      ...verified.snapshot,
      ask,
      grants: new Map(policies.map(({ id, role, grantNumber }) => [id, { role, grantNumber }])),
      cache: createDecisionCache(maxCachedDecisions),
    }
    return loaded
  }
}
