/**
 * What happened, in order: the append-only, signed record that every room writes to.
 * Stops: an effect without a durable record; a record altered unseen.
 * Trusts: the data folder's permissions, the ledger key and a flush that the disk says is done.
 * Fails: appends reject with Fault `audit.ledger-unavailable`; a damaged ledger is not opened.
 */
import { type Clock, Fault, Misuse } from '#kernel'
import type { DataFolder } from '#platform/files'
import type { Meter } from '#platform/telemetry'

import type { EventDefinition } from './define-event.ts'
import type { Entry, EntryFields, Receipt } from './entry.ts'
import { ledgerClosed, ledgerOpened } from './events.ts'
import { GroupCommit, unavailable } from './group-commit.ts'
import { createGrowth } from './growth.ts'
import { createHeadSigner, type HeadSigner, isOrigin, makeLedgerKey } from './heads.ts'
import { auditWrites } from './watch/observe-ledger.ts'
import { createLedgerReader } from './read-ledger.ts'
import type {
  AskedProof,
  Intents,
  LedgerQuery,
  Opened,
  Stretch,
  WriterRequest,
  WriterSettings,
} from './storage/messages.ts'
import { keyFile, verifierFile } from './storage/schema.ts'
import { createThread, type Thread, ThreadProblem } from './storage/thread.ts'

export interface Ledger {
  /**
   * @returns when the entry is durable: its transaction is flushed to disk
   * @throws Fault `audit.ledger-unavailable`: nothing of it remains, and `state().isWritable` is false until a
   * commit on a new connection succeeds
   */
  append(event: EventDefinition, fields: EntryFields): Promise<Receipt>
  /** As `append`, for an entry that nobody waits for: for a few milliseconds it waits for a commit to share. */
  appendSoon(event: EventDefinition, fields: EntryFields): Promise<Receipt>
  /** `size` is the `seq` of the last durable entry. */
  state(): { isWritable: boolean; reason?: string; size: number }
  /**
   * Durable entries, lowest `seq` first: the first ones beyond `after`, or else the newest ones (below `before`).
   * @throws Misuse `audit.query`; Fault `audit.ledger-unreadable`
   */
  read(query: LedgerQuery): Promise<Entry[]>
  /**
   * The open and the ended intents of a stretch of at most 10,000 durable entries.
   * @throws Misuse `audit.query`; Fault `audit.ledger-unreadable`
   */
  intents(stretch: Stretch): Promise<Intents>
  /** The line by which others verify, as in `ledger-key.pub`. */
  readonly publicKey: string
  /** The newest signed head. @throws Fault `audit.ledger-unreadable` */
  checkpoint(): Promise<string | undefined>
  /**
   * What shows that an entry is in the ledger, or that it begins with the first `from` entries: a text with the newest
   * signed head. @see https://c2sp.org/tlog-proof and https://c2sp.org/tlog-witness
   * @returns undefined where there are not so many entries
   * @throws Misuse `audit.query`; Fault `audit.ledger-unreadable`
   */
  prove(asked: AskedProof): Promise<string | undefined>
  /** Resolves when there is an entry with a higher `seq`, the time is up, or the signal or the ledger ended. */
  waitBeyond(seq: number, timeoutMs: number, signal?: AbortSignal): Promise<void>
  /** Waits for what was appended; later appends reject. */
  close(): Promise<void>
}

export interface LedgerOptions {
  readonly dataFolder: DataFolder
  /** Names the ledger in its signed heads; fixed once it has begun. */
  readonly origin: string
  readonly clock: Clock
  /** Counts how long writing takes. */
  readonly meter?: Meter | undefined
}

function readSettings({ dataFolder, origin }: LedgerOptions): WriterSettings & { readonly publicKey: string } {
  if (!isOrigin(origin))
    throw new Misuse('audit.origin', 'the ledger origin has spaces or `+`', 'set `ledger.origin` to a plain name')
  const privateKey = dataFolder.secretOrCreate(keyFile, makeLedgerKey).toString()
  const { verifierKey } = readSigner(privateKey, origin)
  const known = dataFolder.secretOrCreate(verifierFile, () => Buffer.from(verifierKey)).toString()
  if (known !== verifierKey)
    throw new Misuse(
      'audit.ledger-key',
      `\`${verifierFile}\` belongs to another key or another origin than this ledger's`,
      'set `ledger.origin` back, or begin a new ledger in another data folder',
    )
  return { folder: dataFolder.path, origin, privateKey, publicKey: verifierKey }
}

function readSigner(privateKey: string, origin: string): HeadSigner {
  try {
    return createHeadSigner(privateKey, origin)
  } catch (error) {
    throw new Misuse(
      'audit.ledger-key',
      `\`${keyFile}\` is not a key for signing`,
      'restore it from a backup, or begin a new ledger in another data folder',
      { cause: error },
    )
  }
}

const cures = {
  damaged: 'run `castellan audit verify` before anything else',
  'other-form': 'use the version that made it, or begin a new ledger in another data folder',
}

async function openWriter(writer: Thread<WriterRequest, Opened>): Promise<Opened> {
  try {
    return await writer.ask({ kind: 'open' })
  } catch (error) {
    const kind = error instanceof ThreadProblem ? error.kind : 'passing'
    if (error instanceof ThreadProblem && kind !== 'passing')
      throw new Misuse(`audit.ledger-${kind}`, error.message, cures[kind], { cause: error })
    throw unavailable(error instanceof Error ? error.message : 'unknown', error)
  }
}

/** How the writer before ended, and what of its last commits was found. */
function tellEnd({ size, lastEvent, unanswered, cutBytes }: Opened): Record<string, unknown> {
  const after = size === 0 ? 'nothing' : lastEvent === ledgerClosed.name ? 'close' : 'crash'
  return { after, ...(unanswered > 0 && { unanswered }), ...(cutBytes > 0 && { cutBytes }) }
}

/**
 * Opens the ledger of the data folder, or begins it. The first entry it writes is `ledger.opened`.
 * @throws Misuse `files.locked` while another ledger is open on the folder, `audit.ledger-damaged` when the newest
 * signed head does not vouch for what is there, `audit.ledger-other-form` for the file of another version; Fault `audit.ledger-unavailable` when it cannot be written
 */
export async function createLedger(options: LedgerOptions): Promise<Ledger> {
  const lock = options.dataFolder.lock('ledger')
  let writer: Thread<WriterRequest, Opened> | undefined
  try {
    const { publicKey, ...settings } = readSettings(options)
    writer = createThread<WriterRequest, Opened>('ledger-worker', settings)
    const opened = await openWriter(writer)
    const ledger = await beginLedger(options, writer, opened, () => lock.release())
    return { ...ledger, publicKey }
  } catch (error) {
    await writer?.end()
    lock.release()
    throw error
  }
}

async function beginLedger(
  { clock, dataFolder, meter }: LedgerOptions,
  writer: Thread<WriterRequest, Opened>,
  opened: Opened,
  release: () => void,
): Promise<Omit<Ledger, 'publicKey'>> {
  const growth = createGrowth(opened.size)
  const commits = new GroupCommit({
    ask: writer.ask,
    clock,
    size: opened.size,
    onGrown: growth.reach,
    writes: meter?.histogram(auditWrites).with({}),
  })
  const reader = createLedgerReader(dataFolder.path)
  await commits.append(ledgerOpened, { outcome: 'succeeded', details: tellEnd(opened) }, true)
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    await commits.end(ledgerClosed, { outcome: 'succeeded' })
    growth.end()
    // WHY: whoever closes the file last moves the log into it, and a reader cannot.
    await reader.end()
    await writer.ask({ kind: 'close' }).catch(() => undefined)
    await writer.end()
    release()
  }

  return {
    append: (event, fields) => commits.append(event, fields, true),
    appendSoon: (event, fields) => commits.append(event, fields, false),
    state: () => commits.state(),
    waitBeyond: growth.waitBeyond,
    read: (query) => (closing === undefined ? reader.read(query) : Promise.reject(closed())),
    checkpoint: () => (closing === undefined ? reader.checkpoint() : Promise.reject(closed())),
    prove: (asked) => (closing === undefined ? reader.prove(asked) : Promise.reject(closed())),
    intents: (stretch) => (closing === undefined ? reader.intents(stretch) : Promise.reject(closed())),
    close: () => (closing ??= close()),
  }
}

function closed(): Fault {
  return new Fault('audit.ledger-unreadable', 'the ledger is closed')
}
