/**
 * How does a draft become the policy in force?
 * Stops: a change that one person made and published where two are asked for; one by somebody whose right was taken
 * meanwhile; one of contents that nobody looked at; one on top of a policy that moved.
 * Trusts: the transaction to be the only one: roles, snapshot and draft change together or not at all.
 * Fails: every check is made again in that transaction; the first that fails refuses, and nothing changes.
 * @see docs/decisions/0045-the-life-of-a-policy-change.md
 */
import { isRefusal, refuse, type Principal, type Refusal } from '#kernel'
import { policyEvents } from '../events.ts'
import type { RecordEvent } from '../record-change.ts'
import type { PolicyContents, SnapshotDocument } from '../snapshot/document.ts'
import { publish, readCurrent } from '../snapshot/publish.ts'
import { readKept, type Rows, type Snapshot, type VerifiedPolicy } from '../snapshot/store.ts'
import { applyRoles } from './apply-roles.ts'
import { checkContents, refuseChecked } from './check.ts'
import { diffContents, rebase, type ChangedItem } from './contents-diff.ts'
import type { Checks, Draft } from './draft.ts'
import { writeDraft } from './draft-store.ts'
import { openDraft, type ChangeNeeds } from './drafts.ts'
import { changeRefusals } from './refusals.ts'
import { refuseUnreached, standingOf } from './standing.ts'

export interface AskedPublication {
  readonly id: string
  /** Of the contents that were looked at. */
  readonly hash: string
  readonly mayWarn: boolean
  readonly note: string
  readonly by: Principal
}

export interface Published {
  readonly snapshot: Snapshot
  /** Codes of warnings that were accepted. */
  readonly accepted: readonly string[]
}

/** The contents on top of what is in force; a refusal where both changed the same. */
async function onTop(rows: Rows, draft: Draft, current: VerifiedPolicy): Promise<PolicyContents | Refusal> {
  const { version } = current.snapshot
  if (draft.baseVersion === version) return draft.contents
  const base = await readKept(rows, draft.baseVersion)
  const stale = (names: string) => refuse(changeRefusals.draftStale, { names: { version: String(version), names } })
  if (base?.document === undefined) return stale('what it was made on is not on record')
  const joined = rebase({ base: base.document, wanted: draft.contents, current: current.document })
  return 'contents' in joined ? joined.contents : stale(joined.conflicts.slice(0, 10).join(', '))
}

/** The grants of roles that a change touches, as they were and as they are to be. */
export function grantsOf(items: readonly ChangedItem[], ...states: readonly PolicyContents[]) {
  const touched = new Set(items.flatMap(({ kind, name }) => (kind === 'role' ? [name] : [])))
  return states.flatMap(({ roles }) => roles.filter(({ name }) => touched.has(name)).flatMap(({ grants }) => grants))
}

interface Weighed {
  readonly draft: Draft
  readonly current: VerifiedPolicy
  readonly contents: PolicyContents
  readonly items: readonly ChangedItem[]
  readonly by: Principal
}

/** A refusal when not everybody whose change this is may make it, at this moment. */
async function refusePeople(rows: Rows, needs: ChangeNeeds, weighed: Weighed): Promise<Refusal | undefined> {
  const { draft, current, contents, items, by } = weighed
  const change = { items, grants: grantsOf(items, current.document, contents) }
  const asked = { roles: current.roles, now: needs.clock.now() }
  const publisher = by.isService === true ? undefined : await standingOf(rows, { ...asked, personId: by.id })
  if (publisher === undefined) return refuse(changeRefusals.publisherGone)
  const beyond = refuseUnreached(publisher, current.roles, change)
  if (beyond !== undefined || !needs.isFourEyes()) return beyond
  if (draft.state !== 'proposed') return refuse(changeRefusals.draftNotProposed, { names: { draft: draft.id } })
  // INVARIANT: persons are told apart by who they are, not by the credential they came with.
  if (draft.editors.includes(by.id)) return refuse(changeRefusals.ownDraft)
  for (const personId of draft.editors) {
    const editor = await standingOf(rows, { ...asked, personId })
    if (editor === undefined) return refuse(changeRefusals.authorGone)
    if (refuseUnreached(editor, current.roles, change) !== undefined) return refuse(changeRefusals.authorGone)
  }
  return undefined
}

function acceptedIn({ findings }: Checks): string[] {
  return [...new Set(findings.map(({ code }) => code))].toSorted()
}

/** Writes snapshot, roles and draft. */
async function write(
  { rows, record }: { rows: Rows; record: RecordEvent },
  weighed: Weighed & { readonly checks: Checks; readonly now: number; readonly note: string },
): Promise<Published | Refusal> {
  const { draft, current, contents, items, by, checks, now, note } = weighed
  const version = current.snapshot.version + 1
  const cameFrom = draft.cameFrom.kind === 'snapshot' ? draft.cameFrom : ({ kind: 'folder' } as const)
  const document: SnapshotDocument = {
    form: 1,
    ...contents,
    author: draft.author,
    publisher: by.id,
    note: draft.note,
    cameFrom: { ...cameFrom, draft: draft.id },
  }
  const snapshot = await publish(rows, { version, document, createdAt: now })
  if (isRefusal(snapshot)) return snapshot
  const taken = await applyRoles(rows, { before: current.roles, after: contents.roles, now })
  const decision = { by: by.id, at: now, decision: 'published' as const, hash: draft.hash, note }
  const decisions = [...draft.decisions, decision]
  await writeDraft(rows, { ...draft, checks, state: 'published', decisions, publishedVersion: version, updatedAt: now })
  const accepted = acceptedIn(checks)
  const details = {
    change: 'draft',
    draft: draft.id,
    draftHash: draft.hash,
    author: draft.author,
    editors: draft.editors,
    base: draft.baseVersion,
    changes: items.map(({ kind, name, change }) => `${change} ${kind} ${name}`),
    note: draft.note,
    ...(note === '' ? {} : { decision: note }),
    ...(accepted.length === 0 ? {} : { acceptedWarnings: accepted }),
    tests: checks.tests.length,
    takenFrom: taken,
    version,
    hash: snapshot.hash,
  }
  await record(policyEvents.published, { principal: by, details })
  return { snapshot, accepted }
}

/** Publishes a draft in the running transaction. */
export async function publishDraft(
  work: { readonly rows: Rows; readonly record: RecordEvent },
  needs: ChangeNeeds,
  asked: AskedPublication,
): Promise<Published | Refusal> {
  const { rows } = work
  const draft = await openDraft(rows, asked.id)
  if (isRefusal(draft)) return draft
  if (draft.hash !== asked.hash) return refuse(changeRefusals.draftChanged, { names: { draft: asked.id } })
  const current = await readCurrent(rows)
  const contents = await onTop(rows, draft, current)
  if (isRefusal(contents)) return contents
  const items = diffContents(current.document, contents)
  if (items.length === 0) return refuse(changeRefusals.draftEmpty)
  const weighed = { draft, current, contents, items, by: asked.by }
  const refusal = await refusePeople(rows, needs, weighed)
  if (refusal !== undefined) return refusal
  const checks = await checkContents(rows, needs, { contents, version: current.snapshot.version + 1 })
  const unfit = refuseChecked(checks, asked.mayWarn)
  if (unfit !== undefined) return unfit
  return write(work, { ...weighed, checks, now: needs.clock.now(), note: asked.note })
}
