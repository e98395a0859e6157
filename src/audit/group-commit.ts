/**
 * When an entry is durable: appends that arrive during a commit share the next one, and stand or fall with it.
 * Stops: an effect without a record: while the ledger cannot be written every append is turned away at once.
 * Trusts: the writing thread, to commit a whole batch or nothing.
 * Fails: by rejecting the batch and everything behind it; opens again only after a commit on a new connection.
 */
import { type Clock, Fault } from '#kernel'
import { type Histogram, monotonicMs } from '#platform/telemetry'

import { Batch, keepSpare } from './batch.ts'
import type { EventDefinition } from './define-event.ts'
import { type EntryFields, type Receipt, writeBody } from './entry.ts'
import { ledgerRecovered } from './events.ts'
import type { Opened, WriterRequest } from './storage/messages.ts'

/** Entries that may wait for a commit; more only happens when the disk does not keep up. */
export const longestQueue = 20_000
/** Bytes that may wait for a commit, so that large entries do not fill the memory. */
export const largestQueueBytes = 64_000_000
/** A commit that takes longer counts as failed: callers are not kept waiting for a dead disk. */
const patienceMs = 10_000
const probeEveryMs = 500
/** After a batch of at least so many entries the next one waits for more to come: a flush costs as much as forty entries. */
const busyEntries = 16
/** How long it waits at most. */
const lingerMs = 3
/** With so many entries it waits no more. */
const enoughEntries = 64
/** How long an entry that nobody waits for is kept for a commit that somebody does wait for. */
const unhurriedMs = 5

interface Outage {
  readonly reason: string
  readonly sizeBefore: number
  refused: number
  /** Set while the entry that ends the outage is being committed. */
  isEnding: boolean
}

interface GroupCommitOptions {
  readonly ask: (request: WriterRequest, given?: ArrayBuffer) => Promise<Opened>
  readonly clock: Clock
  readonly size: number
  readonly onGrown: (size: number) => void
  /** Counts how long commits took. */
  readonly writes?: Histogram | undefined
}

export function unavailable(reason: string, cause?: unknown): Fault {
  return new Fault('audit.ledger-unavailable', `the ledger cannot be written: ${reason}`, { cause })
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  #size: number
  #queue: Batch[] = []
  #queuedEntries = 0
  #queuedBytes = 0
  #inFlight: Batch | undefined
  /** Whether somebody waits for an entry in the queue. */
  #isAwaited = false
  #isScheduled = false
  #linger: NodeJS.Timeout | undefined
  #lastEntries = 0
  #hasUnhurriedTimer = false
  #isEnded = false
  #outage: Outage | undefined
  #probeTimer: NodeJS.Timeout | undefined

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#size = options.size
  }

  /** @param isAwaited whether somebody waits for it; an entry that nobody waits for causes no commit of its own at once */
  append(event: EventDefinition, fields: EntryFields, isAwaited: boolean): Promise<Receipt> {
    if (this.#isEnded) return Promise.reject(unavailable('it is closed'))
    if (this.#outage !== undefined && !this.#outage.isEnding) {
      this.#outage.refused += 1
      return Promise.reject(unavailable(this.#outage.reason))
    }
    if (this.#queuedEntries >= longestQueue || this.#queuedBytes >= largestQueueBytes)
      return Promise.reject(unavailable('the disk does not keep up'))
    try {
      return this.#enqueue(event, fields, isAwaited)
    } catch (error) {
      return Promise.reject(new Fault('audit.entry', 'an entry could not be written as JSON', { cause: error }))
    }
  }

  state(): { isWritable: boolean; reason?: string; size: number } {
    const isWritable = this.#outage === undefined && !this.#isEnded
    return { isWritable, size: this.#size, ...reasonIf(this.#outage, this.#isEnded) }
  }

  /** Waits for what was appended, then takes no more. */
  async end(last: EventDefinition, fields: EntryFields): Promise<void> {
    const lastAppend = this.append(last, fields, true)
    this.#isEnded = true
    clearTimeout(this.#probeTimer)
    await lastAppend.catch(() => undefined)
  }

  #enqueue(event: EventDefinition, fields: EntryFields, isAwaited: boolean): Promise<Receipt> {
    const seq = this.#size + (this.#inFlight?.entries.length ?? 0) + this.#queuedEntries + 1
    const written = writeBody(event, fields, seq, this.#options.clock.now())
    let batch = this.#queue.at(-1)
    if (batch === undefined || batch.isFull) this.#queue.push((batch = new Batch()))
    const bytesBefore = batch.byteLength
    batch.write(written)
    this.#queuedBytes += batch.byteLength - bytesBefore
    this.#queuedEntries += 1
    if (isAwaited) this.#hurry()
    else this.#wait()
    if (this.#linger !== undefined && this.#queuedEntries >= enoughEntries) this.#stopLingering()
    const { entries } = batch
    const { id } = written
    return new Promise((resolve, reject) => entries.push({ seq, id, resolve, reject }))
  }

  #hurry(): void {
    this.#isAwaited = true
    if (this.#isScheduled || this.#inFlight !== undefined) return
    this.#isScheduled = true
    if (this.#lastEntries < busyEntries || this.#queuedEntries >= enoughEntries) setImmediate(this.#send)
    else this.#linger = setTimeout(this.#send, lingerMs)
  }

  #stopLingering(): void {
    clearTimeout(this.#linger)
    this.#linger = undefined
    setImmediate(this.#send)
  }

  #wait(): void {
    if (this.#hasUnhurriedTimer) return
    this.#hasUnhurriedTimer = true
    setTimeout(() => {
      this.#hasUnhurriedTimer = false
      if (this.#queuedEntries > 0) this.#hurry()
    }, unhurriedMs)
  }

  readonly #send = (): void => {
    this.#isScheduled = false
    this.#linger = undefined
    const batch = this.#inFlight === undefined ? this.#queue.shift() : undefined
    if (batch === undefined) return
    this.#inFlight = batch
    this.#lastEntries = batch.entries.length
    this.#queuedEntries -= batch.entries.length
    this.#queuedBytes -= batch.byteLength
    this.#isAwaited = this.#queuedEntries > 0
    const ifCurrent = (then: () => void) => {
      clearTimeout(timer)
      // WHY: an answer that comes after patience ended is not believed; the next opening tells what is on disk.
      if (this.#inFlight === batch) then()
    }
    const timer = setTimeout(() => ifCurrent(() => this.#fail('the disk does not answer')), patienceMs)
    const { ask, clock, writes } = this.#options
    const sentAt = monotonicMs()
    const bodies = batch.bytes()
    const { values } = batch
    ask({ kind: 'commit', firstSeq: this.#size + 1, bodies, values, timeMs: clock.now() }, bodies.buffer).then(
      ({ spare }) => {
        if (spare !== undefined) keepSpare(spare)
        ifCurrent(() => {
          writes?.record((monotonicMs() - sentAt) / 1000)
          this.#settle(batch)
        })
      },
      (error: unknown) => ifCurrent(() => this.#fail(reasonOf(error), error)),
    )
  }

  #settle(batch: Batch): void {
    this.#size += batch.entries.length
    this.#inFlight = undefined
    this.#outage = undefined
    if (this.#isAwaited) this.#hurry()
    for (const { seq, id, resolve } of batch.entries) resolve({ seq, id })
    this.#options.onGrown(this.#size)
  }

  #fail(reason: string, cause?: unknown): void {
    const lost = [this.#inFlight, ...this.#queue].flatMap((batch) => batch?.entries ?? [])
    this.#inFlight = undefined
    this.#queue = []
    this.#queuedEntries = 0
    this.#queuedBytes = 0
    this.#isAwaited = false
    const before = this.#outage
    const ownEntries = before?.isEnding === true ? 1 : 0
    this.#outage = {
      reason,
      sizeBefore: before?.sizeBefore ?? this.#size,
      refused: (before?.refused ?? 0) + lost.length - ownEntries,
      isEnding: false,
    }
    const fault = unavailable(reason, cause)
    for (const { reject } of lost) reject(fault)
    this.#probeLater()
  }

  #probeLater(): void {
    if (this.#isEnded) return
    clearTimeout(this.#probeTimer)
    this.#probeTimer = setTimeout(() => void this.#probe(), probeEveryMs)
    this.#probeTimer.unref()
  }

  async #probe(): Promise<void> {
    try {
      const opened = await this.#options.ask({ kind: 'open' })
      if (this.#isEnded || this.#outage === undefined) return
      this.#endOutage(this.#outage, opened)
    } catch (error) {
      if (this.#outage !== undefined) this.#outage = { ...this.#outage, reason: reasonOf(error) }
      this.#probeLater()
    }
  }

  #endOutage(outage: Outage, { size, cutBytes }: Opened): void {
    this.#size = size
    // INVARIANT: appends queue behind this entry from here on, so none is refused after it was counted.
    outage.isEnding = true
    const { refused, reason } = outage
    const unanswered = size - outage.sizeBefore
    const details = { refused, reason, ...(unanswered > 0 && { unanswered }), ...(cutBytes > 0 && { cutBytes }) }
    this.#enqueue(ledgerRecovered, { outcome: 'succeeded', details }, true).catch(() => undefined)
  }
}

function reasonIf(outage: Outage | undefined, isEnded: boolean): { reason?: string } {
  if (isEnded) return { reason: 'it is closed' }
  return outage === undefined ? {} : { reason: outage.reason }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
