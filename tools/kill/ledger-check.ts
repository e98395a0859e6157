/** What the ledger says after each kill, held against what the clients were told and what the upstream saw. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Called } from './load.ts'

interface Body {
  readonly seq: number
  readonly event: string
  readonly outcome: string
  readonly exchange?: string
  readonly details?: {
    readonly intent?: number
    readonly after?: string
    readonly parameters?: { readonly arguments?: { readonly text?: string } }
  }
}

export interface LedgerCheck {
  /** Entries read so far. */
  size(): number
  /** How many calls ended as interrupted. */
  interrupted(): number
  /** Opening entries, by what was before them. */
  readonly openings: Map<string, number>
  /** Reads what was added and waits until every intent up to here has its end. @returns what is wrong */
  settle(mostMs: number): Promise<string[]>
  /** @returns what is wrong between these calls, these arrivals and the ledger */
  compare(calls: readonly Called[], arrivals: readonly string[]): string[]
}

const ends = new Set(['call.completed', 'call.refused', 'call.cut', 'call.interrupted'])
const pollMs = 20

interface Kept {
  lastSeq: number
  interrupted: number
  /** By the name of the call. */
  readonly intents: Map<string, { seq: number; exchange: string | undefined }>
  readonly exchangeOf: Map<number, string | undefined>
  readonly endOf: Map<number, string>
  readonly unended: Set<number>
  readonly openings: Map<string, number>
  readonly refused: Set<number>
}

function take(kept: Kept, entry: Body): string[] {
  const { seq, event, exchange, details = {} } = entry
  const problems = seq === kept.lastSeq + 1 ? [] : [`entry ${kept.lastSeq} is followed by entry ${seq}`]
  kept.lastSeq = seq
  kept.exchangeOf.set(seq, exchange)
  if (event === 'ledger.opened') {
    const after = details.after ?? ''
    kept.openings.set(after, (kept.openings.get(after) ?? 0) + 1)
  }
  if (event === 'call.intended') {
    kept.unended.add(seq)
    const name = details.parameters?.arguments?.text
    if (name !== undefined && kept.intents.has(name)) problems.push(`the call ${name} has two intents`)
    if (name !== undefined) kept.intents.set(name, { seq, exchange })
  }
  if (!ends.has(event) || details.intent === undefined) return problems
  if (event === 'call.interrupted') kept.interrupted += 1
  const before = kept.endOf.get(details.intent)
  if (before !== undefined) problems.push(`the intent ${details.intent} ended twice: ${before}, then ${event}`)
  if (kept.exchangeOf.get(details.intent) !== exchange) problems.push(`the end ${seq} is of another exchange`)
  if (event === 'call.interrupted' && entry.outcome !== 'unknown') problems.push(`the end ${seq} is not unknown`)
  kept.endOf.set(details.intent, event)
  kept.unended.delete(details.intent)
  return problems
}

function compareCall(kept: Kept, called: Called): string[] {
  const { name, status, entry, exchange } = called
  if (status === undefined) return []
  const intent = kept.intents.get(name)
  if (called.isResult === true) {
    if (intent === undefined) return [`the call ${name} was answered and is not in the ledger`]
    const isSame = intent.seq === entry && intent.exchange === exchange
    return isSame ? [] : [`the call ${name} was told entry ${entry}, and the ledger has ${intent.seq}`]
  }
  if (entry !== undefined && kept.exchangeOf.get(entry) !== exchange)
    return [`entry ${entry} is not of the call ${name}`]
  if (status === 200) return [`the call ${name} was answered 200 without its result`]
  return entry === undefined && status !== 503
    ? [`the call ${name} was refused with ${status} and without an entry`]
    : []
}

export function checkLedger(dataDir: string): LedgerCheck {
  const kept: Kept = {
    lastSeq: 0,
    interrupted: 0,
    intents: new Map(),
    exchangeOf: new Map(),
    endOf: new Map(),
    unended: new Set(),
    openings: new Map(),
    refused: new Set(),
  }

  function readOn(): string[] {
    const database = new DatabaseSync(join(dataDir, 'ledger.db'), { readOnly: true, timeout: 5_000 })
    try {
      const rows = database.prepare('SELECT seq, body FROM entries WHERE seq > ? ORDER BY seq').all(kept.lastSeq)
      return rows.flatMap((row) => take(kept, JSON.parse(String(row['body'])) as Body))
    } finally {
      database.close()
    }
  }

  return {
    size: () => kept.lastSeq,
    interrupted: () => kept.interrupted,
    openings: kept.openings,
    async settle(mostMs) {
      const giveUpAt = performance.now() + mostMs
      const problems: string[] = []
      for (;;) {
        problems.push(...readOn())
        if (kept.unended.size === 0) return problems
        if (performance.now() > giveUpAt) break
        await sleep(pollMs)
      }
      const [first] = kept.unended
      return [...problems, `${kept.unended.size} intents have no end, the first is entry ${first}`]
    },
    compare: (calls, arrivals) => [
      ...calls.flatMap((called) => compareCall(kept, called)),
      ...arrivals
        .filter((name) => !kept.intents.has(name))
        .map((name) => `the call ${name} reached the upstream and is not in the ledger`),
    ],
  }
}
