/**
 * When was something last used, how often, and how far back can anybody tell?
 * Stops: "never used" where nothing was recorded; a number that says more than was counted.
 * Trusts: what `digest.ts` wrote.
 * Fails: with the database. What was not counted is not told.
 */
import type { Rows } from '../snapshot/store.ts'
import { keptMs, weekMs } from './digest.ts'

/** The last use, with the entry that shows it. */
export interface Use {
  /** In the period, by whole weeks: at least those of the period itself. */
  readonly uses: number
  /** Wall-clock milliseconds; also before the period. */
  readonly lastAt: number
  /** Which node's ledger, by the id of its first entry, and the number of the entry there. */
  readonly ledger: string
  readonly seq: number
}

/** One ledger that was counted. */
export interface CountedLedger {
  readonly ledger: string
  readonly beginsAt: number
  readonly readAt: number
}

/** What the evidence rests on. */
export interface Horizon {
  /** There is no evidence before. */
  readonly from: number
  /** Up to here the ledger of every node is counted that is not gone; undefined where none was. */
  readonly upTo: number | undefined
  readonly ledgers: readonly CountedLedger[]
}

/** A node whose ledger was not counted for longer is gone. */
const silentMs = 24 * 3_600_000

interface Row {
  readonly uses: number | string | bigint
  readonly last_at: number | string
  readonly last_seq: number | string
  readonly ledger: string
}

function joined(known: Use | undefined, { uses, last_at, last_seq, ledger }: Row): Use {
  const use = { uses: Number(uses), lastAt: Number(last_at), seq: Number(last_seq), ledger }
  if (known === undefined) return use
  const latest = use.lastAt > known.lastAt ? use : known
  return { ...latest, uses: known.uses + use.uses }
}

function add(into: Map<string, Use>, key: string, row: Row): void {
  into.set(key, joined(into.get(key), row))
}

/** The later of two, with the uses of both. */
export function sum(uses: readonly (Use | undefined)[]): Use | undefined {
  let total: Use | undefined
  for (const use of uses) {
    if (use === undefined) continue
    total = joined(total, { uses: use.uses, last_at: use.lastAt, last_seq: use.seq, ledger: use.ledger })
  }
  return total
}

export async function readHorizon(rows: Rows, nowMs: number): Promise<Horizon> {
  const found = await rows.selectFrom('use_cursors').selectAll().where('ledger', '!=', '').orderBy('ledger').execute()
  const ledgers = found.map(({ ledger, begins_at, read_at }) => ({
    ledger,
    beginsAt: Number(begins_at),
    readAt: Number(read_at),
  }))
  if (ledgers.length === 0) return { from: nowMs, upTo: undefined, ledgers }
  const read = ledgers.map(({ readAt }) => readAt)
  // WHY: a node lets nothing pass without the database, which is all that counting needs: one that is silent is gone.
  const living = read.filter((at) => at >= nowMs - silentMs)
  return {
    from: Math.max(nowMs - keptMs, Math.min(...ledgers.map(({ beginsAt }) => beginsAt))),
    upTo: living.length === 0 ? Math.max(...read) : Math.min(...living),
    ledgers,
  }
}

function counting(rows: Rows, since: number) {
  const week = Math.floor(since / weekMs) * weekMs
  return rows
    .selectFrom('rule_uses')
    .select((select) => [
      'ledger',
      select.fn.sum<number>(select.case().when('week', '>=', week).then(select.ref('uses')).else(0).end()).as('uses'),
      select.fn.max('last_at').as('last_at'),
      select.fn.max('last_seq').as('last_seq'),
    ])
}

/** What some people used: by `<person> <print>`, and by `<person> <upstream>/` whatever the rule. */
export async function usesOfPeople(
  rows: Rows,
  people: readonly string[],
  since: number,
): Promise<ReadonlyMap<string, Use>> {
  const uses = new Map<string, Use>()
  if (people.length === 0) return uses
  const byPrint = await counting(rows, since)
    .select(['person_id', 'print'])
    .where('person_id', 'in', people)
    .groupBy(['person_id', 'print', 'ledger'])
    .execute()
  for (const row of byPrint) add(uses, `${row.person_id} ${row.print}`, row)
  const byUpstream = await counting(rows, since)
    .select(['person_id', 'upstream'])
    .where('person_id', 'in', people)
    .groupBy(['person_id', 'upstream', 'ledger'])
    .execute()
  for (const row of byUpstream) add(uses, `${row.person_id} ${row.upstream}/`, row)
  return uses
}

/** What was used of each rule, by its print, whoever used it. */
export async function usesOfPrints(rows: Rows, since: number): Promise<ReadonlyMap<string, Use>> {
  const found = await counting(rows, since).select('print').groupBy(['print', 'ledger']).execute()
  const uses = new Map<string, Use>()
  for (const row of found) add(uses, row.print, row)
  return uses
}

/** Every use of a server, whichever rule let it pass, by upstream. */
export async function usesOfUpstreams(rows: Rows, since: number): Promise<ReadonlyMap<string, Use>> {
  const found = await counting(rows, since).select('upstream').groupBy(['upstream', 'ledger']).execute()
  const uses = new Map<string, Use>()
  for (const row of found) add(uses, row.upstream, row)
  return uses
}

/** One thing that was used through a rule. */
export interface UsedThing {
  readonly upstream: string
  readonly kind: string
  readonly name: string
  readonly effect: string
}

/** What a rule was used for in the period, at most `limit` things. */
export async function thingsUsed(
  rows: Rows,
  { prints, since, limit }: { readonly prints: readonly string[]; readonly since: number; readonly limit: number },
): Promise<readonly UsedThing[]> {
  return rows
    .selectFrom('rule_uses')
    .select(['upstream', 'kind', 'name', 'effect'])
    .distinct()
    .where('print', 'in', prints)
    .where('last_at', '>=', since)
    .orderBy('upstream')
    .orderBy('kind')
    .orderBy('name')
    .orderBy('effect')
    .limit(limit)
    .execute()
}

/** Who used a rule at all and does not hold its role by an assignment: by a claim, or by one that was taken. */
export async function usersWithoutRole(
  rows: Rows,
  asked: { readonly prints: readonly string[]; readonly role: string; readonly after: string; readonly limit: number },
): Promise<readonly { readonly id: string; readonly name: string; readonly kind: 'person' | 'service' }[]> {
  const { prints, role, after, limit } = asked
  return rows
    .selectFrom('people')
    .select(['people.id', 'people.name', 'people.kind'])
    .where('people.id', '>', after)
    .where('people.id', 'in', (inner) => inner.selectFrom('rule_uses').select('person_id').where('print', 'in', prints))
    .where('people.id', 'not in', (inner) =>
      inner.selectFrom('role_grants').select('person_id').where('role', '=', role),
    )
    .orderBy('people.id')
    .limit(limit)
    .execute()
}
