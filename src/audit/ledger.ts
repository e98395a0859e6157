/**
 * What happened, in order: the append-only, signed record that every room writes to.
 * Stops: an effect without a durable record; a record altered unseen.
 * Trusts: the data folder's permissions, the ledger key and a flush that the disk says is done.
 * Fails: appends reject with Fault `audit.ledger-unavailable`; a damaged ledger is not opened.
 */
import { type Clock, Fault, Misuse } from '#kernel'
import type { DataFolder } from '#platform/files'

import type { EventDefinition } from './define-event.ts'
import type { Entry, EntryFields, Receipt } from './entry.ts'
import { ledgerClosed, ledgerOpened } from './events.ts'
import { GroupCommit, unavailable } from './group-commit.ts'
import { createGrowth } from './growth.ts'
import { createHeadSigner, isOrigin, makeLedgerKey } from './heads.ts'
import { createLedgerReader } from './read-ledger.ts'
import type { LedgerQuery, Opened, WriterRequest, WriterSettings } from './storage/messages.ts'
import { keyFile, verifierFile } from './storage/schema.ts'
import { createThread, type Thread, ThreadProblem } from './storage/thread.ts'

export interface Ledger {
  /**
   * @returns when the entry is durable: its transaction is flushed to disk
   * @throws Fault `audit.ledger-unavailable`: nothing of it remains, and `state().isWritable` is false until a
   * commit on a new connection succeeds
   */
  append(event: EventDefinition, fields: EntryFields): Promise<Receipt>
  /** `size` is the `seq` of the last durable entry. */
  state(): { isWritable: boolean; reason?: string; size: number }
  /**
   * Durable entries, lowest `seq` first: the first ones beyond `after`, or else the newest ones (below `before`).
   * @throws Misuse `audit.query`; Fault `audit.ledger-unreadable`
   */
  read(query: LedgerQuery): Promise<Entry[]>
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
}

function readSettings({ dataFolder, origin }: LedgerOptions): WriterSettings {
  if (!isOrigin(origin))
    throw new Misuse('audit.origin', 'the ledger origin has spaces or `+`', 'set `ledger.origin` to a plain name')
  const privateKey = dataFolder.secretOrCreate(keyFile, makeLedgerKey).toString()
  const { verifierKey } = createHeadSigner(privateKey, origin)
  const known = dataFolder.secretOrCreate(verifierFile, () => Buffer.from(verifierKey)).toString()
  if (known !== verifierKey)
    throw new Misuse(
      'audit.ledger-key',
      `\`${verifierFile}\` belongs to another key or another origin than this ledger's`,
      'set `ledger.origin` back, or begin a new ledger in another data folder',
    )
  return { folder: dataFolder.path, origin, privateKey }
}

async function openWriter(writer: Thread<WriterRequest, Opened>): Promise<Opened> {
  try {
    return await writer.ask({ kind: 'open' })
  } catch (error) {
    if (error instanceof ThreadProblem && error.isDamaged)
      throw new Misuse('audit.ledger-damaged', error.message, 'run `castellan audit verify` before anything else', {
        cause: error,
      })
    throw unavailable(error instanceof Error ? error.message : 'unknown', error)
  }
}

function endOfWriterBefore({ size, lastEvent }: Opened): string {
  if (size === 0) return 'nothing'
  return lastEvent === ledgerClosed.name ? 'close' : 'crash'
}

/**
 * Opens the ledger of the data folder, or begins it. The first entry it writes is `ledger.opened`.
 * @throws Misuse `files.locked` while another ledger is open on the folder, `audit.ledger-damaged` when the newest
 * signed head does not vouch for what is there; Fault `audit.ledger-unavailable` when it cannot be written
 */
export async function createLedger(options: LedgerOptions): Promise<Ledger> {
  const lock = options.dataFolder.lock('ledger')
  let writer: Thread<WriterRequest, Opened> | undefined
  try {
    writer = createThread<WriterRequest, Opened>('ledger-worker', readSettings(options))
    const opened = await openWriter(writer)
    return await beginLedger(options, writer, opened, () => lock.release())
  } catch (error) {
    await writer?.end()
    lock.release()
    throw error
  }
}

async function beginLedger(
  { clock, dataFolder }: LedgerOptions,
  writer: Thread<WriterRequest, Opened>,
  opened: Opened,
  release: () => void,
): Promise<Ledger> {
  const growth = createGrowth(opened.size)
  const commits = new GroupCommit({ ask: writer.ask, clock, size: opened.size, onGrown: growth.reach })
  const reader = createLedgerReader(dataFolder.path)
  await commits.append(ledgerOpened, { outcome: 'succeeded', details: { after: endOfWriterBefore(opened) } })
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    await commits.end(ledgerClosed, { outcome: 'succeeded' })
    growth.end()
    await writer.ask({ kind: 'close' }).catch(() => undefined)
    await Promise.all([writer.end(), reader.end()])
    release()
  }

  return {
    append: (event, fields) => commits.append(event, fields),
    state: () => commits.state(),
    waitBeyond: growth.waitBeyond,
    read: (query) => (closing === undefined ? reader.read(query) : Promise.reject(closed())),
    close: () => (closing ??= close()),
  }
}

function closed(): Fault {
  return new Fault('audit.ledger-unreadable', 'the ledger is closed')
}
