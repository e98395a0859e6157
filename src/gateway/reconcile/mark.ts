/**
 * From where on may a call be without its end? Kept in the ledger itself, so that a start looks at its tail only.
 * Stops: a start that reads the whole ledger.
 * Trusts: the ledger.
 * Fails: without a mark everything is looked at.
 */
import type { Ledger } from '#audit'
import { callsReconciled } from '../events.ts'

/** Every call intended up to `upTo` has its end on record, except those in `open`. */
export interface Mark {
  readonly upTo: number
  readonly open: readonly number[]
}

/** So many calls are named in a mark; with more the mark stays further back. */
export const mostNamed = 3000
/** The ledger keeps lists of this length whole. */
const longestRow = 250

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** @returns the newest mark; the beginning when there is none */
export async function readMark(ledger: Pick<Ledger, 'read'>): Promise<Mark> {
  const [entry] = await ledger.read({ event: callsReconciled.name, limit: 1 })
  const { upTo, open } = entry?.details ?? {}
  const named: unknown[] = Array.isArray(open) ? open.flat() : []
  return isCount(upTo) && named.every(isCount) ? { upTo, open: named } : { upTo: 0, open: [] }
}

/** @param open calls up to `upTo` that are still under way, lowest first */
export async function writeMark(ledger: Pick<Ledger, 'appendSoon'>, { upTo, open }: Mark): Promise<void> {
  const beyond = open[mostNamed]
  const named = open.slice(0, mostNamed)
  const rows = Array.from({ length: Math.ceil(named.length / longestRow) }, (_, row) =>
    named.slice(row * longestRow, (row + 1) * longestRow),
  )
  const details = { upTo: beyond === undefined ? upTo : beyond - 1, open: rows }
  await ledger.appendSoon(callsReconciled, { outcome: 'succeeded', details })
}
