/**
 * When an entry is durable: appends that arrive during a commit share the next one, and stand or fall with it.
 * Stops: an effect without a record: while the ledger cannot be written every append is turned away at once.
 * Trusts: the writing thread, to commit a whole batch or nothing.
 * Fails: by rejecting the batch and everything behind it; opens again only after a commit on a new connection.
 */
import { type Clock, Fault } from '#kernel'

import type { EventDefinition } from './define-event.ts'
import { type EntryFields, type Receipt, writeBody } from './entry.ts'
import { ledgerRecovered } from './events.ts'
import type { Opened, WriterRequest } from './storage/messages.ts'

/** Batches stay small enough that one flush does not keep the next batch waiting. */
const longestBatch = 1000
const largestBatchChars = 4_000_000
/** Entries that may wait for a commit; more only happens when the disk does not keep up. */
export const longestQueue = 20_000
/** Text that may wait for a commit, so that large entries do not fill the memory. */
export const largestQueueChars = 64_000_000
/** A commit that takes longer counts as failed: callers are not kept waiting for a dead disk. */
const patienceMs = 10_000
const probeEveryMs = 500

interface Pending extends Receipt {
  readonly body: string
  resolve(receipt: Receipt): void
  reject(fault: Fault): void
}

interface Outage {
  readonly reason: string
  readonly sizeBefore: number
  refused: number
  /** Set while the entry that ends the outage is being committed. */
  isEnding: boolean
}

interface GroupCommitOptions {
  readonly ask: (request: WriterRequest) => Promise<Opened>
  readonly clock: Clock
  readonly size: number
  readonly onGrown: (size: number) => void
}

export function unavailable(reason: string, cause?: unknown): Fault {
  return new Fault('audit.ledger-unavailable', `the ledger cannot be written: ${reason}`, { cause })
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  #size: number
  #queue: Pending[] = []
  #queuedChars = 0
  #inFlight: Pending[] = []
  #isScheduled = false
  #isEnded = false
  #outage: Outage | undefined
  #probeTimer: NodeJS.Timeout | undefined

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#size = options.size
  }

  append(event: EventDefinition, fields: EntryFields): Promise<Receipt> {
    if (this.#isEnded) return Promise.reject(unavailable('it is closed'))
    if (this.#outage !== undefined && !this.#outage.isEnding) {
      this.#outage.refused += 1
      return Promise.reject(unavailable(this.#outage.reason))
    }
    if (this.#queue.length >= longestQueue || this.#queuedChars >= largestQueueChars)
      return Promise.reject(unavailable('the disk does not keep up'))
    try {
      return this.#enqueue(event, fields)
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
    const lastAppend = this.append(last, fields)
    this.#isEnded = true
    clearTimeout(this.#probeTimer)
    await lastAppend.catch(() => undefined)
  }

  #enqueue(event: EventDefinition, fields: EntryFields): Promise<Receipt> {
    const seq = this.#size + this.#inFlight.length + this.#queue.length + 1
    const { id, body } = writeBody(event, fields, seq, this.#options.clock.now())
    if (!this.#isScheduled && this.#inFlight.length === 0) {
      this.#isScheduled = true
      setImmediate(() => this.#send())
    }
    this.#queuedChars += body.length
    return new Promise((resolve, reject) => this.#queue.push({ seq, id, body, resolve, reject }))
  }

  #send(): void {
    this.#isScheduled = false
    if (this.#inFlight.length > 0 || this.#queue.length === 0) return
    const batch = this.#takeBatch()
    this.#inFlight = batch
    const ifCurrent = (then: () => void) => {
      clearTimeout(timer)
      // WHY: an answer that comes after patience ended is not believed; the next opening tells what is on disk.
      if (this.#inFlight === batch) then()
    }
    const timer = setTimeout(() => ifCurrent(() => this.#fail('the disk does not answer')), patienceMs)
    const { ask, clock } = this.#options
    const bodies = batch.map(({ body }) => body)
    ask({ kind: 'commit', firstSeq: this.#size + 1, bodies, timeMs: clock.now() }).then(
      () => ifCurrent(() => this.#settle(batch)),
      (error: unknown) => ifCurrent(() => this.#fail(reasonOf(error), error)),
    )
  }

  #takeBatch(): Pending[] {
    let count = 0
    let chars = 0
    for (const { body } of this.#queue) {
      if (count >= longestBatch || chars >= largestBatchChars) break
      count += 1
      chars += body.length
    }
    const batch = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    this.#queuedChars -= chars
    return batch
  }

  #settle(batch: readonly Pending[]): void {
    this.#size += batch.length
    this.#inFlight = []
    this.#outage = undefined
    this.#send()
    for (const { seq, id, resolve } of batch) resolve({ seq, id })
    this.#options.onGrown(this.#size)
  }

  #fail(reason: string, cause?: unknown): void {
    const lost = [...this.#inFlight, ...this.#queue]
    this.#inFlight = []
    this.#queue = []
    this.#queuedChars = 0
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
      this.#size = opened.size
      this.#endOutage(this.#outage)
    } catch (error) {
      if (this.#outage !== undefined) this.#outage = { ...this.#outage, reason: reasonOf(error) }
      this.#probeLater()
    }
  }

  #endOutage(outage: Outage): void {
    // INVARIANT: appends queue behind this entry from here on, so none is refused after it was counted.
    outage.isEnding = true
    const { refused, reason } = outage
    const unanswered = this.#size - outage.sizeBefore
    const details = unanswered > 0 ? { refused, reason, unanswered } : { refused, reason }
    this.#enqueue(ledgerRecovered, { outcome: 'succeeded', details }).catch(() => undefined)
  }
}

function reasonIf(outage: Outage | undefined, isEnded: boolean): { reason?: string } {
  if (isEnded) return { reason: 'it is closed' }
  return outage === undefined ? {} : { reason: outage.reason }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
