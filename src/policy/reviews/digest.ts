/**
 * Which rules let calls pass, for whom, and when last? Counted from the ledger, and kept for all nodes.
 * Stops: a report that reads the whole ledger, or that takes what another node's ledger holds for unused.
 * Trusts: `call.intended`, which is durable before a call is sent; the place that it remembers of each ledger.
 * Fails: nothing is counted twice or left out: counts and place are written together, or neither is.
 * @see docs/decisions/0048-reviews-count-what-the-ledger-holds.md
 */
import type { Entry, Ledger } from '#audit'
import type { Clock } from '#kernel'
import { unclassified } from '#kernel'
import { isObject } from '#protocol'
import type { Tables } from '#platform/database'
import type { Insertable } from 'kysely'
import { createPace, usualBudget } from '../replay/pace.ts'
import { decidedThen } from '../replay/replay.ts'
import type { Rows } from '../snapshot/store.ts'
import { createPrintReader, followSnapshots, type PrintNeeds, type Prints } from './prints.ts'

const dayMs = 86_400_000
export const weekMs = 7 * dayMs
/** Older weeks are forgotten. */
export const keptMs = 400 * dayMs

const entriesAtOnce = 500
/** Written together. */
const mostEntries = 5_000
const rowsAtOnce = 200

type Use = Insertable<Tables['rule_uses']>

/** WHY: addresses of resources are without number, so they are counted together. */
function nameOf({ kind, name = '' }: NonNullable<Entry['target']>): string {
  return kind === 'tool' || kind === 'prompt' ? name : ''
}

function effectOf({ details, target }: Entry): string {
  const judged = details?.['judged']
  const labels = isObject(judged) ? judged['labels'] : undefined
  const effect = isObject(labels) ? labels['effect'] : undefined
  if (target?.kind !== 'tool') return ''
  return typeof effect === 'string' ? effect : unclassified.effect
}

/** Adds one entry to what is to be written. */
function count(
  into: Map<string, Use>,
  entry: Entry,
  { ledger, prints }: { ledger: string; prints: Prints | undefined },
) {
  const { principal, target, seq } = entry
  if (principal === undefined || target === undefined) return
  const at = Date.parse(entry.time)
  const where = { upstream: target.upstream, kind: target.kind, name: nameOf(target), effect: effectOf(entry) }
  const week = Math.floor(at / weekMs) * weekMs
  for (const rule of new Set(decidedThen(entry).rules)) {
    const print = prints?.get(rule) ?? `id:${rule}`
    const key = JSON.stringify([principal.id, print, where, week])
    const known = into.get(key)
    const told = { last_at: at, last_seq: seq }
    if (known !== undefined) Object.assign(known, told, { uses: known.uses + 1 })
    else into.set(key, { ledger, person_id: principal.id, print, ...where, week, uses: 1, first_at: at, ...told })
  }
}

async function write(rows: Rows, uses: readonly Use[]): Promise<void> {
  for (let from = 0; from < uses.length; from += rowsAtOnce) {
    await rows
      .insertInto('rule_uses')
      .values(uses.slice(from, from + rowsAtOnce))
      .onConflict((conflict) =>
        conflict
          .columns(['person_id', 'print', 'ledger', 'upstream', 'kind', 'name', 'effect', 'week'])
          .doUpdateSet((set) => ({
            uses: set('rule_uses.uses', '+', set.ref('excluded.uses')),
            last_at: set.ref('excluded.last_at'),
            last_seq: set.ref('excluded.last_seq'),
          })),
      )
      .execute()
  }
}

export interface DigestNeeds {
  readonly database: PrintNeeds
  readonly ledger: Pick<Ledger, 'read' | 'state'>
  readonly clock: Clock
}

export interface Digest {
  /** Counts what the ledger of this node holds beyond what was counted, and follows the snapshots. */
  fold(): Promise<void>
}

async function readPlace(rows: Rows, ledger: string): Promise<number> {
  const row = await rows.selectFrom('use_cursors').select('seq').where('ledger', '=', ledger).executeTakeFirst()
  return Number(row?.seq ?? 0)
}

/** Reads on from a place, up to so many entries. @returns the entries, and up to where the ledger was looked through */
async function readOn(
  ledger: Pick<Ledger, 'read' | 'state'>,
  place: number,
  rest: () => Promise<void> | undefined,
): Promise<{ readonly entries: readonly Entry[]; readonly upTo: number; readonly isLast: boolean }> {
  const { size } = ledger.state()
  const entries: Entry[] = []
  let after = place
  while (entries.length < mostEntries) {
    const found = await ledger.read({ event: 'call.intended', after, limit: entriesAtOnce })
    entries.push(...found)
    await rest()
    if (found.length < entriesAtOnce) {
      return { entries, upTo: Math.max(size, found.at(-1)?.seq ?? 0, place), isLast: true }
    }
    after = found.at(-1)?.seq ?? after
  }
  return { entries, upTo: after, isLast: false }
}

export function createDigest({ database, ledger, clock }: DigestNeeds): Digest {
  const printsOf = createPrintReader(database.query)
  let running: Promise<void> | undefined

  async function step(begin: Entry, rest: () => Promise<void> | undefined): Promise<boolean> {
    const id = begin.id
    const kept = await readPlace(database.query, id)
    // WHY: a ledger that was restored is shorter than what was counted of it.
    const place = Math.min(kept, ledger.state().size)
    const readAt = clock.now()
    const { entries, upTo, isLast } = await readOn(ledger, place, rest)
    const uses = new Map<string, Use>()
    for (const entry of entries) {
      count(uses, entry, { ledger: id, prints: await printsOf(decidedThen(entry).snapshot) })
      await rest()
    }
    const last = entries.at(-1)
    const cursor = { seq: upTo, read_at: isLast || last === undefined ? readAt : Date.parse(last.time) }
    await database.transaction(async (rows) => {
      if ((await readPlace(rows, id)) !== kept) return
      await write(rows, [...uses.values()])
      await rows
        .insertInto('use_cursors')
        .values({ ledger: id, begins_at: Date.parse(begin.time), ...cursor })
        .onConflict((conflict) => conflict.column('ledger').doUpdateSet(cursor))
        .execute()
    })
    return isLast
  }

  async function fold(): Promise<void> {
    const rest = createPace(usualBudget, new AbortController().signal)
    await followSnapshots(database, printsOf)
    const [begin] = await ledger.read({ after: 0, limit: 1 })
    if (begin === undefined) return
    while (!(await step(begin, rest)));
    await database.transaction(async (rows) => {
      await rows
        .deleteFrom('rule_uses')
        .where('week', '<', clock.now() - keptMs - weekMs)
        .execute()
    })
  }

  return {
    fold: () => (running ??= fold().finally(() => (running = undefined))),
  }
}
