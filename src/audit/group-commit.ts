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
/** Entries that may wait for a commit; more only happens when the disk does not keep up. */
export const longestQueue = 20_000
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

export interface GroupCommit {
  append(event: EventDefinition, fields: EntryFields): Promise<Receipt>
  state(): { isWritable: boolean; reason?: string; size: number }
  /** Waits for what was appended, then takes no more. */
  end(last: EventDefinition, fields: EntryFields): Promise<void>
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

export function createGroupCommit({ ask, clock, size: sizeAtStart, onGrown }: GroupCommitOptions): GroupCommit {
  let size = sizeAtStart
  let queue: Pending[] = []
  let inFlight: Pending[] = []
  let isScheduled = false
  let isEnded = false
  let outage: Outage | undefined
  let probeTimer: NodeJS.Timeout | undefined

  function enqueue(event: EventDefinition, fields: EntryFields): Promise<Receipt> {
    const seq = size + inFlight.length + queue.length + 1
    const { id, body } = writeBody(event, fields, seq, clock.now())
    if (!isScheduled && inFlight.length === 0) {
      isScheduled = true
      setImmediate(send)
    }
    return new Promise((resolve, reject) => queue.push({ seq, id, body, resolve, reject }))
  }

  function send(): void {
    isScheduled = false
    if (inFlight.length > 0 || queue.length === 0) return
    const batch = queue.length <= longestBatch ? queue : queue.slice(0, longestBatch)
    queue = queue.slice(batch.length)
    inFlight = batch
    const ifCurrent = (then: () => void) => {
      clearTimeout(timer)
      // WHY: an answer that comes after patience ended is not believed; the next opening tells what is on disk.
      if (inFlight === batch) then()
    }
    const timer = setTimeout(() => ifCurrent(() => fail('the disk does not answer')), patienceMs)
    const bodies = batch.map(({ body }) => body)
    ask({ kind: 'commit', firstSeq: size + 1, bodies, timeMs: clock.now() }).then(
      () => ifCurrent(() => settle(batch)),
      (error: unknown) => ifCurrent(() => fail(reasonOf(error), error)),
    )
  }

  function settle(batch: readonly Pending[]): void {
    size += batch.length
    inFlight = []
    outage = undefined
    send()
    for (const { seq, id, resolve } of batch) resolve({ seq, id })
    onGrown(size)
  }

  function fail(reason: string, cause?: unknown): void {
    const lost = [...inFlight, ...queue]
    inFlight = []
    queue = []
    const isOwn = outage?.isEnding === true ? 1 : 0
    const refused = (outage?.refused ?? 0) + lost.length - isOwn
    outage = { reason, sizeBefore: outage?.sizeBefore ?? size, refused, isEnding: false }
    const fault = unavailable(reason, cause)
    for (const { reject } of lost) reject(fault)
    probeLater()
  }

  function probeLater(): void {
    if (isEnded) return
    clearTimeout(probeTimer)
    probeTimer = setTimeout(() => void probe(), probeEveryMs)
    probeTimer.unref()
  }

  async function probe(): Promise<void> {
    try {
      const opened = await ask({ kind: 'open' })
      if (isEnded || outage === undefined) return
      size = opened.size
      endOutage(outage)
    } catch (error) {
      if (outage !== undefined) outage = { ...outage, reason: reasonOf(error) }
      probeLater()
    }
  }

  function endOutage(ending: Outage): void {
    // INVARIANT: appends queue behind this entry from here on, so none is refused after it was counted.
    ending.isEnding = true
    const unanswered = size - ending.sizeBefore
    const details = { refused: ending.refused, reason: ending.reason, ...(unanswered > 0 ? { unanswered } : {}) }
    enqueue(ledgerRecovered, { outcome: 'succeeded', details }).catch(() => undefined)
  }

  function append(event: EventDefinition, fields: EntryFields): Promise<Receipt> {
    if (isEnded) return Promise.reject(unavailable('it is closed'))
    if (outage !== undefined && !outage.isEnding) {
      outage.refused += 1
      return Promise.reject(unavailable(outage.reason))
    }
    if (queue.length >= longestQueue) return Promise.reject(unavailable('the disk does not keep up'))
    try {
      return enqueue(event, fields)
    } catch (error) {
      return Promise.reject(new Fault('audit.entry', 'an entry could not be written as JSON', { cause: error }))
    }
  }

  return {
    append,
    state: () => ({ isWritable: outage === undefined && !isEnded, size, ...reasonIf(outage, isEnded) }),
    async end(last, fields) {
      const lastAppend = append(last, fields)
      isEnded = true
      clearTimeout(probeTimer)
      await lastAppend.catch(() => undefined)
    },
  }
}

function reasonIf(outage: Outage | undefined, isEnded: boolean): { reason?: string } {
  if (isEnded) return { reason: 'it is closed' }
  return outage === undefined ? {} : { reason: outage.reason }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
