/**
 * Which calls are under way, and is the end of each on record? Stands between the exchanges and the ledger.
 * Stops: a call whose end could not be recorded being forgotten.
 * Trusts: an end to name its intent.
 * Fails: as the ledger does; what was lost is kept, within a bound, until `reconcile.ts` has seen to it.
 */
import type { EntryFields, EventDefinition, Ledger, Receipt } from '#audit'
import type { Clock } from '#kernel'
import { callIntended } from '../events.ts'

/** Ends that are kept whole; of further ones only that they are missing. */
export const mostKeptEnds = 4096

export interface LostEnd {
  readonly event: EventDefinition
  readonly fields: EntryFields
  readonly endedAtMs: number
}

interface CallLedgerOptions {
  readonly ledger: Pick<Ledger, 'append' | 'appendSoon'>
  readonly clock: Clock
  readonly onIntended: (seq: number) => void
  /** An intent or an end was refused by the ledger; it may be on disk all the same. */
  readonly onLost: () => void
}

export class CallLedger implements Pick<Ledger, 'append' | 'appendSoon'> {
  readonly #options: CallLedgerOptions
  readonly #open = new Set<number>()
  readonly #lost = new Map<number, LostEnd | undefined>()

  constructor(options: CallLedgerOptions) {
    this.#options = options
  }

  /** Intents on record whose end is not, lowest first. */
  get open(): ReadonlySet<number> {
    return this.#open
  }

  /** Of these calls the end came, and the ledger refused it. */
  get lost(): ReadonlyMap<number, LostEnd | undefined> {
    return this.#lost
  }

  append(event: EventDefinition, fields: EntryFields): Promise<Receipt> {
    return this.#follow(this.#options.ledger.append(event, fields), event, fields)
  }

  appendSoon(event: EventDefinition, fields: EntryFields): Promise<Receipt> {
    return this.#follow(this.#options.ledger.appendSoon(event, fields), event, fields)
  }

  /** Records an end that was refused when it came. */
  async record(intent: number, { event, fields, endedAtMs }: LostEnd): Promise<void> {
    const endedAt = new Date(endedAtMs).toISOString()
    await this.#options.ledger.appendSoon(event, { ...fields, details: { ...fields.details, endedAt } })
    this.settle(intent)
  }

  /** The end of this call is on record. */
  settle(intent: number): void {
    this.#open.delete(intent)
    this.#lost.delete(intent)
  }

  #follow(pending: Promise<Receipt>, event: EventDefinition, fields: EntryFields): Promise<Receipt> {
    const { onIntended, onLost } = this.#options
    const intent = fields.details?.['intent']
    if (event === callIntended)
      pending.then(({ seq }) => {
        this.#open.add(seq)
        onIntended(seq)
      }, onLost)
    else if (typeof intent === 'number')
      pending.then(
        () => this.settle(intent),
        () => this.#lose(intent, event, fields),
      )
    return pending
  }

  #lose(intent: number, event: EventDefinition, fields: EntryFields): void {
    const isKept = this.#lost.size < mostKeptEnds
    this.#lost.set(intent, isKept ? { event, fields, endedAtMs: this.#options.clock.now() } : undefined)
    this.#options.onLost()
  }
}
