/**
 * How does a change of the policy begin, and who has worked on it?
 * Stops: a draft that forgets who changed it; a folder that removes roles which nobody named.
 * Trusts: its caller to have decided that `by` may change the policy; the transaction to be the only one.
 * Fails: refused or not recorded, nothing changes. Lint and tests are told, and stop nothing here but proposing.
 */
import type { EventDefinition } from '#audit'
import { createId, isRefusal, refuse, type Principal, type Refusal } from '#kernel'
import { recordChange, type RecordEvent } from '../record-change.ts'
import { isOneLine } from '../roles/role.ts'
import type { RoleNeeds } from '../roles/role-holders.ts'
import type { CameFrom, PolicyContents } from '../snapshot/document.ts'
import { readCurrent } from '../snapshot/publish.ts'
import type { Rows } from '../snapshot/store.ts'
import { checkContents, refuseChecked, type CheckNeeds } from './check.ts'
import { diffContents, type ChangedItem } from './contents-diff.ts'
import type { Checks, Draft } from './draft.ts'
import { readDraft, readDrafts, writeContents, writeDraft } from './draft-store.ts'
import { changeEvents } from './events.ts'
import { readFolder, type FolderFile, type ReadFolder } from '../folder/read-folder.ts'
import { findLosses, type Loss } from './losses.ts'
import { changeRefusals } from './refusals.ts'

export interface ChangeNeeds extends RoleNeeds, CheckNeeds {
  /** Whether two persons change the policy. */
  isFourEyes(): boolean
}

/** A policy folder as it came. */
export interface AskedFolder {
  readonly files: readonly FolderFile[]
  /** Whether roles that are not in the folder are removed. */
  readonly isPruning: boolean
}

/** What would be changed, and what lint and tests say of it. */
export interface CheckedChange {
  readonly baseVersion: number
  readonly items: readonly ChangedItem[]
  readonly losses: readonly Loss[]
  readonly checks: Checks
}

export interface Drafts {
  /**
   * Says what publishing a folder would do; keeps nothing. What cannot be read are findings.
   * @param isReader whether whoever asks may not change the policy, and so takes little of everybody's time
   */
  check(folder: AskedFolder & { readonly isReader?: boolean }): Promise<CheckedChange | Refusal>
  /** Makes a draft on top of what is in force. */
  make(folder: AskedFolder & { readonly note: string; readonly by: Principal }): Promise<Draft | Refusal>
  /** Replaces what a draft says, on top of what is in force at this moment; it is proposed no more. */
  edit(change: AskedFolder & { readonly id: string; readonly by: Principal }): Promise<Draft | Refusal>
  /** Hands a draft to a second person: lint and tests have to pass. */
  propose(draft: { id: string; hash: string; mayWarn: boolean; by: Principal }): Promise<Draft | Refusal>
  /** Gives a draft up, or turns it down. */
  abandon(draft: { id: string; note: string; by: Principal }): Promise<Draft | Refusal>
  /** The newest 200, newest first. */
  list(): Promise<Draft[]>
  /** With what it would change of what is in force, and what lint and tests said of it last; publishing asks them again. */
  find(id: string): Promise<(CheckedChange & { readonly draft: Draft; readonly isFourEyes: boolean }) | undefined>
}

const maxNoteLength = 500

/** A refusal when a note is not one line. */
export function refuseNote(note: string): Refusal | undefined {
  if (isOneLine(note, maxNoteLength)) return undefined
  return refuse(changeRefusals.noteInvalid, { names: { limit: String(maxNoteLength) } })
}

/** What a folder makes of the policy in force: shipped roles stay, others only go when asked for. */
export function contentsOf(folder: AskedFolder, current: PolicyContents): ReadFolder {
  const read = readFolder(folder.files)
  if (read.problems !== undefined) return read
  const told = new Set(read.contents.roles.map(({ name }) => name))
  const staying = current.roles.filter(({ name, isShipped }) => isShipped || (!folder.isPruning && !told.has(name)))
  return { contents: { ...read.contents, roles: [...staying, ...read.contents.roles] } }
}

/** A draft that can still be worked on. */
export async function openDraft(rows: Rows, id: string): Promise<Draft | Refusal> {
  const draft = await readDraft(rows, id)
  if (draft === undefined) return refuse(changeRefusals.draftUnknown, { names: { draft: id } })
  const hasEnded = draft.state === 'published' || draft.state === 'abandoned'
  return hasEnded ? refuse(changeRefusals.draftEnded, { names: { draft: id } }) : draft
}

/** Writes a draft, and an entry that says what it changes. */
async function keep(
  rows: Rows,
  record: RecordEvent,
  step: { event: EventDefinition; draft: Draft; by: Principal; items?: readonly ChangedItem[] },
): Promise<Draft> {
  const { event, draft, by, items } = step
  await writeDraft(rows, draft)
  const failed = draft.checks.tests.filter((test) => !test.hasPassed).length
  const changes = items?.map(({ kind, name, change }) => `${change} ${kind} ${name}`)
  await record(event, {
    principal: by,
    details: {
      draft: draft.id,
      base: draft.baseVersion,
      hash: draft.hash,
      note: draft.note,
      ...(changes === undefined ? {} : { changes }),
      findings: draft.checks.findings.length,
      failedTests: failed,
    },
  })
  return draft
}

interface NewDraft {
  readonly contents: PolicyContents
  readonly note: string
  readonly by: Principal
  readonly cameFrom: CameFrom
}

/** Makes a draft of these contents in the running transaction. */
export async function makeDraft(
  { rows, record }: { rows: Rows; record: RecordEvent },
  needs: ChangeNeeds,
  made: NewDraft,
): Promise<Draft | Refusal> {
  const current = await readCurrent(rows)
  const items = diffContents(current.document, made.contents)
  if (items.length === 0) return refuse(changeRefusals.draftEmpty)
  const { contents, note, by, cameFrom } = made
  const baseVersion = current.snapshot.version
  const now = needs.clock.now()
  const draft: Draft = {
    id: createId(now),
    baseVersion,
    contents,
    hash: writeContents(contents).hash,
    state: 'draft',
    author: by.id,
    editors: [by.id],
    note,
    checks: await checkContents(rows, needs, { contents, version: baseVersion + 1 }),
    decisions: [],
    cameFrom,
    publishedVersion: undefined,
    createdAt: now,
    updatedAt: now,
  }
  return keep(rows, record, { event: changeEvents.draftMade, draft, by, items })
}

/** The refusal of a folder that cannot be read, with its first problem. */
export function refuseFolder(
  problem: { says: string; file?: string; line?: number; column?: number } | undefined,
): Refusal {
  const { says = '', file, line = 1, column = 1 } = problem ?? {}
  const place = file === undefined ? '' : `${file}:${line}:${column}: `
  return refuse(changeRefusals.folderInvalid, { names: { problem: `${place}${says}` } })
}

async function make(rows: Rows, record: RecordEvent, needs: ChangeNeeds, asked: Parameters<Drafts['make']>[0]) {
  const current = await readCurrent(rows)
  const read = contentsOf(asked, current.document)
  if (read.problems !== undefined) return refuseFolder(read.problems[0])
  const { note, by } = asked
  return makeDraft({ rows, record }, needs, { contents: read.contents, note, by, cameFrom: { kind: 'folder' } })
}

async function edit(rows: Rows, record: RecordEvent, needs: ChangeNeeds, asked: Parameters<Drafts['edit']>[0]) {
  const draft = await openDraft(rows, asked.id)
  if (isRefusal(draft)) return draft
  const current = await readCurrent(rows)
  const read = contentsOf(asked, current.document)
  if (read.problems !== undefined) return refuseFolder(read.problems[0])
  const { contents } = read
  const items = diffContents(current.document, contents)
  if (items.length === 0) return refuse(changeRefusals.draftEmpty)
  const baseVersion = current.snapshot.version
  const edited: Draft = {
    ...draft,
    baseVersion,
    contents,
    hash: writeContents(contents).hash,
    state: 'draft',
    editors: [...new Set([...draft.editors, asked.by.id])],
    checks: await checkContents(rows, needs, { contents, version: baseVersion + 1 }),
    updatedAt: needs.clock.now(),
  }
  return keep(rows, record, { event: changeEvents.draftEdited, draft: edited, by: asked.by, items })
}

async function propose(rows: Rows, record: RecordEvent, needs: ChangeNeeds, asked: Parameters<Drafts['propose']>[0]) {
  const draft = await openDraft(rows, asked.id)
  if (isRefusal(draft)) return draft
  if (draft.hash !== asked.hash) return refuse(changeRefusals.draftChanged, { names: { draft: asked.id } })
  const checks = await checkContents(rows, needs, { contents: draft.contents, version: draft.baseVersion + 1 })
  const refusal = refuseChecked(checks, asked.mayWarn)
  if (refusal !== undefined) return refusal
  const proposed: Draft = { ...draft, checks, state: 'proposed', updatedAt: needs.clock.now() }
  return keep(rows, record, { event: changeEvents.draftProposed, draft: proposed, by: asked.by })
}

async function abandon(rows: Rows, record: RecordEvent, needs: ChangeNeeds, asked: Parameters<Drafts['abandon']>[0]) {
  const draft = await openDraft(rows, asked.id)
  if (isRefusal(draft)) return draft
  const at = needs.clock.now()
  const decision = { by: asked.by.id, at, decision: 'abandoned' as const, hash: draft.hash, note: asked.note }
  const abandoned: Draft = {
    ...draft,
    state: 'abandoned',
    decisions: [...draft.decisions, decision],
    updatedAt: at,
  }
  return keep(rows, record, { event: changeEvents.draftAbandoned, draft: abandoned, by: asked.by })
}

async function look(
  rows: Rows,
  needs: ChangeNeeds,
  { contents, checks }: { readonly contents: PolicyContents; readonly checks?: Checks },
): Promise<CheckedChange> {
  const current = await readCurrent(rows)
  const baseVersion = current.snapshot.version
  return {
    baseVersion,
    items: diffContents(current.document, contents),
    losses: await findLosses(rows, current.document, contents),
    checks: checks ?? (await checkContents(rows, needs, { contents, version: baseVersion + 1 })),
  }
}

async function check(needs: ChangeNeeds, folder: AskedFolder): Promise<CheckedChange> {
  const rows = needs.database.query
  const current = await readCurrent(rows)
  const read = contentsOf(folder, current.document)
  if (read.problems === undefined) return look(rows, needs, read)
  const findings = read.problems.map(({ says, rule = '', ...place }) => ({
    ...place,
    code: 'lint.unreadable',
    severity: 'error' as const,
    rule,
    says,
    hint: 'see docs/policy.md for what a policy folder holds',
  }))
  const checks = { judged: '', findings, tests: [] }
  return { baseVersion: current.snapshot.version, items: [], losses: [], checks }
}

const maxReaderBytes = 262_144
const readerPauseMs = 5_000

/** It rests so many times as long as a check took. */
const readerRests = 4

/** Judging rules takes much of a node: whoever only reads gets a small share of it, one check at a time. */
function createReaderLimit(now: () => number) {
  let [nextAt, pauseMs] = [-Infinity, readerPauseMs]
  let isBusy = false

  function refuseNow({ files }: AskedFolder): Refusal | undefined {
    const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
    if (bytes > maxReaderBytes) {
      return refuse(changeRefusals.checkTooLarge, { names: { limit: `${maxReaderBytes} bytes` } })
    }
    const waitMs = isBusy ? pauseMs : Math.min(nextAt - now(), pauseMs)
    return waitMs > 0
      ? refuse(changeRefusals.checkTooOften, { retryAfterSeconds: Math.ceil(waitMs / 1_000) })
      : undefined
  }

  return async function limited<Found>(folder: AskedFolder, work: () => Promise<Found>): Promise<Found | Refusal> {
    const refusal = refuseNow(folder)
    if (refusal !== undefined) return refusal
    isBusy = true
    const startedAt = now()
    try {
      return await work()
    } finally {
      isBusy = false
      pauseMs = Math.max(readerPauseMs, readerRests * (now() - startedAt))
      nextAt = now() + pauseMs
    }
  }
}

export function createDrafts(needs: ChangeNeeds): Drafts {
  const { database, ledger, clock } = needs
  const limited = createReaderLimit(() => clock.now())
  /** Runs one step in a transaction of its own. */
  const step = <Asked>(
    work: (rows: Rows, record: RecordEvent, needs: ChangeNeeds, asked: Asked) => Promise<Draft | Refusal>,
    asked: Asked,
  ) => recordChange(database, ledger, async (rows, record) => work(rows, record, needs, asked))
  return {
    check: async (folder) => {
      const work = () => check(needs, folder)
      return folder.isReader === true ? limited(folder, work) : work()
    },
    make: async (asked) => refuseNote(asked.note) ?? step(make, asked),
    edit: async (asked) => step(edit, asked),
    propose: async (asked) => step(propose, asked),
    abandon: async (asked) => refuseNote(asked.note) ?? step(abandon, asked),
    list: async () => readDrafts(database.query),
    async find(id) {
      const draft = await readDraft(database.query, id)
      if (draft === undefined) return undefined
      return { ...(await look(database.query, needs, draft)), draft, isFourEyes: needs.isFourEyes() }
    },
  }
}
