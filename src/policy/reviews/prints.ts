/**
 * Is a rule in force still the one that decided then, and since when is it in force?
 * Stops: evidence of an older rule that had the same number; a rule of yesterday that counts as unused for a year.
 * Trusts: the snapshots that are kept, each by its hash.
 * Fails: a snapshot that cannot be read knows no rule: what comes after it begins anew.
 */
import { hash } from 'node:crypto'
import { compilePolicy } from '../cedar/compile.ts'
import type { CompiledRule } from '../cedar/source.ts'
import { readHead, readKept, type Rows } from '../snapshot/store.ts'

/** Snapshots that are looked at when none were; what is older counts from the first of them. */
const mostSnapshots = 200
const keptVersions = 8
/** The cursor of the snapshots, beside those of ledgers. */
const ofSnapshots = ''

/** Names a rule by what it says, whatever its number: 22 characters. */
export function printOf({ origin, text }: Pick<CompiledRule, 'origin' | 'text'>): string {
  // WHY: the id of a grant is its number, which is another one as soon as a grant before it goes.
  const said = origin.kind === 'role' ? text.slice(text.indexOf('\n') + 1) : text
  return hash('sha256', said, 'base64url').slice(0, 22)
}

/** Prints by ids of rules; undefined where nobody can tell. */
export type Prints = ReadonlyMap<string, string>

/** Reads the rules of a snapshot; the last few are kept. */
export function createPrintReader(rows: Rows): (version: number) => Promise<Prints | undefined> {
  const known = new Map<number, Prints | undefined>()

  async function read(version: number): Promise<Prints | undefined> {
    const kept = await readKept(rows, version)
    if (kept?.document === undefined) return undefined
    const compilation = compilePolicy(kept.document, version)
    return compilation.isValid ? new Map(compilation.policy.rules.map((rule) => [rule.id, printOf(rule)])) : undefined
  }

  return async function printsOf(version) {
    if (known.has(version)) return known.get(version)
    const prints = await read(version).catch(() => undefined)
    const [oldest] = known.keys()
    if (known.size >= keptVersions && oldest !== undefined) known.delete(oldest)
    known.set(version, prints)
    return prints
  }
}

/** Makes the rows say which rules the newest snapshot has, and since when. Runs in a transaction of its own. */
async function follow(rows: Rows, version: number, prints: Prints | undefined): Promise<void> {
  const snapshot = await rows
    .selectFrom('policy_snapshots')
    .select('created_at')
    .where('version', '=', version)
    .executeTakeFirst()
  const before = await rows.selectFrom('rule_prints').select('print').execute()
  const [had, has] = [
    new Set(before.map(({ print }) => print)),
    new Map([...(prints ?? [])].map(([id, one]) => [one, id])),
  ]
  const gone = [...had].filter((print) => !has.has(print))
  for (let from = 0; from < gone.length; from += 500) {
    await rows
      .deleteFrom('rule_prints')
      .where('print', 'in', gone.slice(from, from + 500))
      .execute()
  }
  const since = { since_version: version, since_at: snapshot?.created_at ?? 0 }
  const added = [...has].flatMap(([print, rule]) => (had.has(print) ? [] : [{ print, rule, ...since }]))
  for (let from = 0; from < added.length; from += 500) {
    await rows
      .insertInto('rule_prints')
      .values(added.slice(from, from + 500))
      .execute()
  }
  const seen = { seq: version, begins_at: 0, read_at: since.since_at }
  await rows
    .insertInto('use_cursors')
    .values({ ledger: ofSnapshots, ...seen })
    .onConflict((conflict) => conflict.column('ledger').doUpdateSet(seen))
    .execute()
}

export interface PrintNeeds {
  readonly query: Rows
  readonly transaction: <Done>(work: (rows: Rows) => Promise<Done>) => Promise<Done>
}

/** Follows the snapshots up to the newest, one transaction each; another node may do the same at the same time. */
export async function followSnapshots(
  { query, transaction }: PrintNeeds,
  printsOf: (version: number) => Promise<Prints | undefined>,
): Promise<void> {
  for (;;) {
    const head = await readHead(query)
    const seen = await readSeen(query)
    if (head === undefined || seen >= head.version) return
    const next = Math.max(seen + 1, head.version - mostSnapshots + 1)
    const prints = await printsOf(next)
    await transaction(async (rows) => {
      if ((await readSeen(rows)) === seen) await follow(rows, next, prints)
    })
  }
}

async function readSeen(rows: Rows): Promise<number> {
  const row = await rows.selectFrom('use_cursors').select('seq').where('ledger', '=', ofSnapshots).executeTakeFirst()
  return Number(row?.seq ?? 0)
}
