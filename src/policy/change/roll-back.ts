/**
 * How does the policy go back to what it was?
 * Stops: going back to a snapshot that somebody changed; an emergency that serves to get around the second person.
 * Trusts: the hash of the old snapshot, which covers what it was made from.
 * Fails: an old snapshot that is not as it was written is a Fault; everything else is refused, and nothing changes.
 */
import { isRefusal, refuse, type Principal, type Refusal } from '#kernel'
import { policyEvents } from '../events.ts'
import type { RecordEvent } from '../record-change.ts'
import type { PolicyContents, SnapshotDocument } from '../snapshot/document.ts'
import { publish, readCurrent } from '../snapshot/publish.ts'
import { readKept, type Rows, type Snapshot, type VerifiedPolicy } from '../snapshot/store.ts'
import { applyRoles } from './apply-roles.ts'
import { diffContents } from './contents-diff.ts'
import type { Draft } from './draft.ts'
import { makeDraft, type ChangeNeeds } from './drafts.ts'
import { changeEvents } from './events.ts'
import { grantsOf } from './publish-draft.ts'
import { changeRefusals } from './refusals.ts'
import { refuseUnreached, standingOf } from './standing.ts'

interface Work {
  readonly rows: Rows
  readonly record: RecordEvent
}

export interface AskedRollback {
  /** The snapshot to return to. */
  readonly version: number
  readonly note: string
  readonly by: Principal
}

/** What an old snapshot was made from, with the shipped roles of this program. */
async function readOld(rows: Rows, current: VerifiedPolicy, version: number): Promise<PolicyContents | Refusal> {
  const names = { version: String(version) }
  const kept = version < current.snapshot.version ? await readKept(rows, version) : undefined
  if (kept === undefined) return refuse(changeRefusals.snapshotUnknown, { names })
  const { document } = kept
  if (document === undefined) return refuse(changeRefusals.snapshotUndocumented, { names })
  const shipped = current.document.roles.filter(({ isShipped }) => isShipped)
  const isShippedName = new Set(shipped.map(({ name }) => name))
  const own = document.roles.filter(({ isShipped, name }) => !isShipped && !isShippedName.has(name))
  return { roles: [...shipped, ...own], files: document.files, tests: document.tests }
}

/** A draft that says what an old snapshot said: it goes the way of every other. */
export async function draftRollback(work: Work, needs: ChangeNeeds, asked: AskedRollback): Promise<Draft | Refusal> {
  const current = await readCurrent(work.rows)
  const contents = await readOld(work.rows, current, asked.version)
  if (isRefusal(contents)) return contents
  const { note, by, version } = asked
  return makeDraft(work, needs, { contents, note, by, cameFrom: { kind: 'snapshot', version } })
}

/**
 * One person takes the last change back at once, whatever lint, tests and the number of persons say: what was in force a
 * moment ago is in force again, and an entry of its own says who did it.
 */
export async function rollBackNow(work: Work, needs: ChangeNeeds, asked: AskedRollback): Promise<Snapshot | Refusal> {
  const { rows, record } = work
  const { by, note } = asked
  const current = await readCurrent(rows)
  const preceding = current.snapshot.version - 1
  if (asked.version !== preceding) {
    return refuse(changeRefusals.notPreceding, { names: { version: String(preceding) } })
  }
  // INVARIANT: going back once undoes the last change; going back twice would do it again, past the second person.
  if (current.document.cameFrom.kind === 'snapshot' && current.document.cameFrom.draft === undefined) {
    return refuse(changeRefusals.rolledBackAlready)
  }
  const contents = await readOld(rows, current, asked.version)
  if (isRefusal(contents)) return contents
  const items = diffContents(current.document, contents)
  if (items.length === 0) return refuse(changeRefusals.draftEmpty)
  const now = needs.clock.now()
  const standing =
    by.isService === true ? undefined : await standingOf(rows, { personId: by.id, roles: current.roles, now })
  if (standing === undefined) return refuse(changeRefusals.publisherGone)
  const grants = grantsOf(items, current.document, contents)
  const beyond = refuseUnreached(standing, current.roles, { items, grants })
  if (beyond !== undefined) return beyond
  const version = current.snapshot.version + 1
  const cameFrom = { kind: 'snapshot', version: asked.version } as const
  const document: SnapshotDocument = { form: 1, ...contents, author: by.id, publisher: by.id, note, cameFrom }
  const snapshot = await publish(rows, { version, document, createdAt: now })
  if (isRefusal(snapshot)) return snapshot
  const taken = await applyRoles(rows, { before: current.roles, after: contents.roles, now })
  const details = {
    change: 'rolled-back',
    to: asked.version,
    changes: items.map(({ kind, name, change }) => `${change} ${kind} ${name}`),
    note,
    takenFrom: taken,
    version,
    hash: snapshot.hash,
  }
  await record(changeEvents.rolledBackNow, { principal: by, details })
  await record(policyEvents.published, { principal: by, details })
  return snapshot
}
