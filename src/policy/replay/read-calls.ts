/**
 * Which calls does the ledger hold, newest first?
 * Stops: a ledger read whole; calls that no decision of policy let through or stopped.
 * Trusts: the ledger.
 * Fails: with the ledger's Fault.
 */
import type { Entry, Ledger } from '#audit'

/** What ends a call before its upstream by a decision of policy: the gateway's guards by name. */
const deciding: ReadonlySet<unknown> = new Set(['authorize-server', 'authorize-call'])
const intended = 'call.intended'
const refused = 'call.refused'

/** WHY: few enough to be parsed within a millisecond, so that calls do not wait for it. */
const entriesAtOnce = 100

export interface AskedCalls {
  /** Only entries with a lower `seq`. */
  readonly before?: number | undefined
  /** Only of this person's id. */
  readonly person?: string | undefined
}

/** Whether the call went on, by policy. */
export function wasAllowed({ event }: Entry): boolean {
  return event === intended
}

/** Whether policy decided it. */
export function isDecided({ event, details = {} }: Entry): boolean {
  if (event !== refused) return event === intended
  // WHY: the same guards refuse what a hold, a budget or a fault stopped while somebody was waited for: by no snapshot.
  const isBySnapshot = details['judged'] === undefined || typeof details['snapshot'] === 'number'
  return deciding.has(details['guard']) && isBySnapshot
}

async function* readEvent(ledger: Pick<Ledger, 'read'>, event: string, asked: AskedCalls): AsyncGenerator<Entry> {
  const read = (before: number | undefined): Promise<Entry[]> => {
    const page = ledger.read({ event, person: asked.person, before, limit: entriesAtOnce })
    // WHY: it is asked for early, and who waits for it gets what went wrong.
    page.catch(() => undefined)
    return page
  }
  let page = read(asked.before)
  for (;;) {
    const found = await page
    const [oldest] = found
    const isLast = oldest === undefined || found.length < entriesAtOnce
    if (!isLast) page = read(oldest.seq)
    yield* found.toReversed()
    if (isLast) return
  }
}

/** All calls that policy decided, newest first; what is recorded meanwhile is not among them. */
export async function* readCalls(ledger: Pick<Ledger, 'read' | 'state'>, asked: AskedCalls): AsyncGenerator<Entry> {
  const from = { ...asked, before: asked.before ?? ledger.state().size + 1 }
  const streams = [intended, refused].map((event) => readEvent(ledger, event, from))
  const next = async (stream: AsyncGenerator<Entry>): Promise<Entry | undefined> => {
    const told = await stream.next()
    return told.done === true ? undefined : told.value
  }
  const heads = await Promise.all(streams.map(next))
  for (;;) {
    const newest = heads.reduce((best, head, at) => ((head?.seq ?? 0) > (heads[best]?.seq ?? 0) ? at : best), 0)
    const [entry, stream] = [heads[newest], streams[newest]]
    if (entry === undefined || stream === undefined) return
    heads[newest] = await next(stream)
    if (isDecided(entry)) yield entry
  }
}

/**
 * The first entry of a moment or later, by halving: entries are in the order of their times.
 * @returns its `seq`; one more than the last where all are earlier
 */
export async function seqAt(ledger: Pick<Ledger, 'read' | 'state'>, ms: number): Promise<number> {
  let [low, high] = [1, ledger.state().size + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [entry] = await ledger.read({ after: middle - 1, limit: 1 })
    if (entry !== undefined && Date.parse(entry.time) < ms) low = middle + 1
    else high = middle
  }
  return low
}
