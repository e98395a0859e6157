/**
 * Does every call that was intended have its end on record? Asked when the process starts and after each outage of the
 * ledger, beside the calls and never in their way.
 * Stops: a call of which nobody can tell that it ended, or that nobody knows how.
 * Trusts: the ledger's entries: what is on record there is not recorded again, however often this is interrupted.
 * Fails: by trying again until the gateway is closed.
 */
import type { Ledger } from '#audit'
import type { Clock } from '#kernel'
import type { Log } from '#platform/telemetry'
import { callIntended, callInterrupted } from '../events.ts'
import { CallLedger } from './call-ledger.ts'
import { readMark, writeMark } from './mark.ts'

export interface ReconcileRooms {
  readonly ledger: Pick<Ledger, 'append' | 'appendSoon' | 'intents' | 'read' | 'state'>
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  /** Calls between two marks. */
  readonly markEvery?: number
}

type Cause = 'process-ended' | 'ledger-unavailable'

const usualMarkEvery = 5000
/** Entries looked at in one go: a few milliseconds of the reading thread. */
const stretchEntries = 1000
/** Calls closed at the same time. */
const together = 50
const retryMs = 250

export class Reconciler {
  /** What exchanges record their intents and ends with. */
  readonly calls: CallLedger
  readonly #rooms: ReconcileRooms
  readonly #markEvery: number
  /** Entries up to here are of processes before this one. */
  readonly #past: number
  #isPastSettled = false
  /** Since the ledger had this size it refused entries of calls. */
  #refusedAfter: number | undefined
  #refusals = 0
  #sinceMark = 0
  #isBusy = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  /** To be made before the first call of this process. */
  constructor(rooms: ReconcileRooms) {
    const { ledger, clock, markEvery = usualMarkEvery } = rooms
    this.#rooms = rooms
    this.#markEvery = markEvery
    this.#past = ledger.state().size
    const onIntended = (seq: number): void => this.#countCall(seq)
    const onLost = (): void => this.#noteRefusal()
    this.calls = new CallLedger({ ledger, clock, onIntended, onLost })
  }

  /** Begins with the calls of processes before this one. @returns when they are settled, or have to be tried again */
  begin(): Promise<void> {
    return this.#work()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  get #isRefusing(): boolean {
    return this.#refusedAfter !== undefined
  }

  #countCall(seq: number): void {
    this.#sinceMark += 1
    // INVARIANT: a mark vouches for all before it, so there is none while something before it is unsettled.
    if (this.#sinceMark < this.#markEvery || !this.#isPastSettled || this.#isRefusing) return
    this.#sinceMark = 0
    const open = [...this.calls.open].filter((intent) => intent <= seq)
    writeMark(this.#rooms.ledger, { upTo: seq, open }).catch(() => undefined)
  }

  #noteRefusal(): void {
    this.#refusedAfter ??= this.#rooms.ledger.state().size
    this.#refusals += 1
    this.#workLater()
  }

  async #work(): Promise<void> {
    if (this.#isBusy || this.#isClosed) return
    this.#isBusy = true
    const { ledger } = this.#rooms
    try {
      if (ledger.state().isWritable && !this.#isPastSettled) await this.#settlePast()
      if (ledger.state().isWritable && this.#refusedAfter !== undefined) await this.#settleRefused(this.#refusedAfter)
    } catch {
      // WHY: the ledger refused or could not be read; what is missing stays known and is tried again.
    } finally {
      this.#isBusy = false
    }
    if (!this.#isPastSettled || this.#isRefusing) this.#workLater()
  }

  #workLater(): void {
    if (this.#timer !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#work()
    }, retryMs)
    this.#timer.unref()
  }

  async #settlePast(): Promise<void> {
    const { ledger } = this.#rooms
    const mark = await readMark(ledger)
    await this.#interruptAll(await this.#findOpen(mark.upTo, this.#past, mark.open), 'process-ended')
    if (this.#isClosed) return
    if (this.#past - mark.upTo >= this.#markEvery) await writeMark(ledger, { upTo: this.#past, open: [] })
    this.#isPastSettled = true
  }

  /** What was refused may be on disk all the same, behind `after`; what is not there is recorded here. */
  async #settleRefused(after: number): Promise<void> {
    const refusals = this.#refusals
    // INVARIANT: in a turn of its own every receipt up to the ledger's size has been seen by `calls`.
    await new Promise((resolve) => setImmediate(resolve))
    await this.#interruptAll(await this.#findOpen(after, this.#rooms.ledger.state().size, []), 'ledger-unavailable')
    await this.#inGroups([...this.calls.lost], ([intent, end]) =>
      end === undefined ? this.#interrupt(intent, 'ledger-unavailable') : this.calls.record(intent, end),
    )
    if (refusals === this.#refusals) this.#refusedAfter = undefined
  }

  /** Of the stretch and of `named`, the intents without an end in the stretch; not those that are under way here. */
  async #findOpen(after: number, upTo: number, named: readonly number[]): Promise<number[]> {
    const underWay = new Set(this.calls.open)
    const open = new Set(named)
    for (let from = after; from < upTo; from += stretchEntries) {
      const stretch = { event: callIntended.name, after: from, upTo: Math.min(upTo, from + stretchEntries) }
      const found = await this.#rooms.ledger.intents(stretch)
      for (const intent of found.open) if (!underWay.has(intent)) open.add(intent)
      for (const intent of found.ended) {
        open.delete(intent)
        this.calls.settle(intent)
      }
      if (this.#isClosed) return []
    }
    return [...open]
  }

  async #interruptAll(intents: readonly number[], cause: Cause): Promise<void> {
    await this.#inGroups(intents, (intent) => this.#interrupt(intent, cause))
    if (intents.length === 0) return
    const says = 'calls without an end on record were closed: nobody knows how they ended'
    this.#rooms.log.warn('calls.interrupted', says, { calls: intents.length, cause })
  }

  async #inGroups<Of>(all: readonly Of[], close: (one: Of) => Promise<void>): Promise<void> {
    for (let from = 0; from < all.length && !this.#isClosed; from += together)
      await Promise.all(all.slice(from, from + together).map(close))
  }

  async #interrupt(intent: number, cause: Cause): Promise<void> {
    const { ledger } = this.#rooms
    const [entry] = await ledger.read({ after: intent - 1, limit: 1 })
    const { exchange, principal, address, target, details } = entry?.seq === intent ? entry : {}
    const closing = { intent, cause, method: details?.['method'] }
    const fields = { exchange, principal, address, target, outcome: 'unknown', details: closing } as const
    await ledger.appendSoon(callInterrupted, fields)
    this.calls.settle(intent)
  }
}
