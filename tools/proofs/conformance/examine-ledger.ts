/** Asks the ledger about every request that a run sent: each has its intent and its end, or its refusal, exactly once. */
import type { SuiteRun } from '../../../test/conformance/suite.ts'
import { runProgram } from '../../../test/world/program.ts'
import type { RunningCastellan } from '../../../test/world/running-castellan.ts'

interface Entry {
  readonly seq: number
  readonly event: string
  readonly exchange?: string
  readonly principal?: { readonly name: string }
}

export interface LedgerExamination {
  readonly requests: number
  readonly exchanges: number
  readonly entries: number
  readonly problems: readonly string[]
}

const launcher = new URL('../../../bin/castellan.js', import.meta.url).pathname
const calls = new Set(['call.intended', 'call.completed', 'call.cut', 'call.refused'])

async function readAll({ ana }: RunningCastellan): Promise<Entry[]> {
  const entries: Entry[] = []
  for (;;) {
    const { body } = await ana.api('GET', `/audit?after=${entries.at(-1)?.seq ?? 0}&limit=1000`)
    const items = body['items'] as Entry[]
    if (items.length === 0) return entries
    entries.push(...items)
  }
}

/** Whether these are the entries of one exchange, from its beginning to its end. */
function isWhole(events: readonly string[]): boolean {
  const [first, last, ...more] = events
  if (more.length > 0) return false
  if (first === 'call.refused') return last === undefined
  return first === 'call.intended' && (last === 'call.completed' || last === 'call.cut')
}

/** Stops the gateway, which drains it, and examines what it has written. */
export async function examineLedger(
  castellan: RunningCastellan,
  traces: readonly SuiteRun['trace'][],
): Promise<LedgerExamination> {
  const entries = await readAll(castellan)
  const byExchange = new Map<string, string[]>()
  for (const { event, exchange, principal } of entries) {
    if (!calls.has(event) || exchange === undefined || principal?.name === 'ana') continue
    byExchange.set(exchange, [...(byExchange.get(exchange) ?? []), event])
  }
  const named = traces.flatMap(({ exchanges }) => exchanges)
  const requests = traces.reduce((sum, trace) => sum + trace.requests, 0)
  const broken = [...byExchange].filter(([, events]) => !isWhole(events))
  const unknown = named.filter((exchange) => !byExchange.has(exchange))
  await castellan.program.stop()
  const { code, output } = await runProgram(process.execPath, [launcher, 'audit', 'verify', '--json'], {
    env: castellan.env,
  })
  return {
    requests,
    exchanges: byExchange.size,
    entries: entries.length,
    problems: [
      ...broken.map(([exchange, events]) => `exchange ${exchange} has ${events.join(', ')}`),
      ...unknown.map((exchange) => `the exchange \`${exchange}\` that an answer named has no entry`),
      ...(byExchange.size === requests
        ? []
        : [`${requests} requests were sent, ${byExchange.size} exchanges recorded`]),
      ...(code === 0 ? [] : [`the ledger does not verify: ${output}`]),
    ],
  }
}
