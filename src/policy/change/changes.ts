/**
 * How is the policy changed as a whole?
 * Stops: a change past lint, tests and, where that is asked for, a second person.
 * Trusts: its caller to have decided that `by` may change the policy.
 * Fails: refused or not recorded, nothing changes; a node that dies on the way leaves the old policy or the new one.
 */
import { isRefusal, type Refusal } from '#kernel'
import { recordChange } from '../record-change.ts'
import type { Snapshot } from '../snapshot/store.ts'
import type { ChangedItem } from './contents-diff.ts'
import type { Draft } from './draft.ts'
import { createDrafts, refuseNote, type ChangeNeeds, type Drafts } from './drafts.ts'
import { diffSnapshots, readHistory, readPast, type KeptSnapshot, type PastSnapshot } from './history.ts'
import { publishDraft, type AskedPublication, type Published } from './publish-draft.ts'
import { draftRollback, rollBackNow, type AskedRollback } from './roll-back.ts'

/** Every step is durable and recorded when it resolves; a published one is in force everywhere from the next `refresh` on. */
export interface PolicyChanges {
  readonly drafts: Drafts
  /** Whether two persons change the policy. */
  isFourEyes(): boolean
  publish(asked: AskedPublication): Promise<Published | Refusal>
  /** Makes a draft of what an older snapshot said. */
  rollBack(asked: AskedRollback): Promise<Draft | Refusal>
  /** Takes the last change back at once. */
  rollBackNow(asked: AskedRollback): Promise<Snapshot | Refusal>
  /** The newest 100, newest first. @param before only older ones than this version */
  history(before?: number): Promise<PastSnapshot[]>
  find(version: number): Promise<KeptSnapshot | Refusal>
  /** What the second snapshot differs in from the first. */
  diff(from: number, to: number): Promise<readonly ChangedItem[] | Refusal>
}

export function createChanges(needs: ChangeNeeds): PolicyChanges {
  const { database, ledger, changed } = needs
  const drafts = createDrafts(needs)
  return {
    drafts,
    isFourEyes: () => needs.isFourEyes(),

    async publish(asked) {
      const refusal = refuseNote(asked.note)
      if (refusal !== undefined) return refusal
      const outcome = await recordChange(database, ledger, async (rows, record) =>
        publishDraft({ rows, record }, needs, asked),
      )
      await changed()
      return outcome
    },

    async rollBack(asked) {
      const refusal = refuseNote(asked.note)
      if (refusal !== undefined) return refusal
      return recordChange(database, ledger, async (rows, record) => draftRollback({ rows, record }, needs, asked))
    },

    async rollBackNow(asked) {
      const refusal = refuseNote(asked.note)
      if (refusal !== undefined) return refusal
      const outcome = await recordChange(database, ledger, async (rows, record) =>
        rollBackNow({ rows, record }, needs, asked),
      )
      await changed()
      return outcome
    },

    history: async (before) => readHistory(database.query, before),
    find: async (version) => readPast(database.query, version),
    async diff(from, to) {
      const [one, other] = [await readPast(database.query, from), await readPast(database.query, to)]
      if (isRefusal(one)) return one
      return isRefusal(other) ? other : diffSnapshots(one, other)
    },
  }
}
