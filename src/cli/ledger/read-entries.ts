import { adminApi, type AdminApi, type Entry, type EntryQuery } from '../remote/api.ts'
import { readCount, showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import type { Output } from '../terminal/output.ts'
import { fit } from '../terminal/printable.ts'
import type { Span, Tone } from '../terminal/table.ts'

interface Filters {
  readonly event?: string
  readonly person?: string
  readonly exchange?: string
  readonly refusal?: string
}

export interface FilterOptions extends Filters {
  readonly after?: string
  readonly before?: string
  readonly limit: string
}

export interface TailOptions extends Filters {
  readonly lines: string
  readonly follow?: boolean
}

const maxEntries = 1_000
const waitSeconds = 20
const largestSeq = Number.MAX_SAFE_INTEGER

const outcomeTones: Readonly<Record<string, Tone>> = {
  succeeded: 'good',
  refused: 'bad',
  failed: 'bad',
  unknown: 'warn',
}

/** The ledger knows people by id, which their name does not change. Somebody unknown is searched for as typed. */
async function personId(api: AdminApi, name: string): Promise<string> {
  try {
    return (await api.people.find(name)).id
  } catch (error) {
    if (error instanceof CliFailure && ['notFound', 'denied'].includes(error.reason)) return name
    throw error
  }
}

async function filtersOf(api: AdminApi, { event, person, exchange, refusal }: Filters): Promise<EntryQuery> {
  return {
    ...(event === undefined ? {} : { event }),
    ...(person === undefined ? {} : { person: await personId(api, person) }),
    ...(exchange === undefined ? {} : { exchange }),
    ...(refusal === undefined ? {} : { refusal }),
  }
}

function targetOf({ target }: Entry): string {
  if (target === undefined) return ''
  return target.name === undefined ? target.upstream : `${target.upstream}/${target.name}`
}

function outcomeOf({ outcome }: Entry): Span {
  return { text: outcome, tone: outcomeTones[outcome] ?? 'dim' }
}

const columns = [
  { title: 'SEQ', cell: (one: Entry) => String(one.seq), isFixed: true },
  { title: 'TIME', cell: (one: Entry) => showTime(one.time), isFixed: true },
  { title: 'EVENT', cell: (one: Entry) => one.event },
  { title: 'OUTCOME', cell: outcomeOf, isFixed: true },
  { title: 'PERSON', cell: (one: Entry) => one.principal?.name },
  { title: 'TARGET', cell: targetOf },
  { title: 'REFUSAL', cell: (one: Entry) => one.refusal },
  {
    title: 'MS',
    cell: (one: Entry) => (one.durationMs === undefined ? '' : String(Math.round(one.durationMs))),
    isFixed: true,
  },
]

/** One entry on one line, for a stream whose later widths nobody knows. */
function printEntry(output: Output, one: Entry): void {
  output.line(
    { text: String(one.seq).padStart(6), tone: 'dim' },
    `  ${output.isTerminal ? one.time.slice(11, 19) : (showTime(one.time) ?? '')}  `,
    `${one.event.padEnd(22)}  `,
    { text: one.outcome.padEnd(9), tone: outcomeTones[one.outcome] ?? 'dim' },
    `  ${[(one.principal?.name ?? '-').padEnd(12), targetOf(one)].filter((text) => text !== '').join('  ')}`,
    one.refusal === undefined ? '' : { text: `  ${one.refusal}`, tone: 'bad' },
    one.durationMs === undefined ? '' : { text: `  ${Math.round(one.durationMs)} ms`, tone: 'dim' },
  )
}

export async function listEntries({ output, signedIn }: Invocation, options: FilterOptions): Promise<void> {
  const seq = (name: string, text: string | undefined) =>
    text === undefined ? undefined : readCount(text, { name, min: 0, max: largestSeq })
  const after = seq('--after', options.after)
  const before = seq('--before', options.before)
  const api = adminApi(await signedIn())
  const entries = await api.audit.read({
    ...(await filtersOf(api, options)),
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    limit: readCount(options.limit, { name: '--limit', min: 1, max: maxEntries }),
  })
  output.result(entries, () => output.table(entries, columns, 'no entries match; see `castellan audit tail`'))
}

export async function tailEntries({ output, signedIn }: Invocation, options: TailOptions): Promise<void> {
  const lines = readCount(options.lines, { name: '--lines', min: 0, max: maxEntries })
  const api = adminApi(await signedIn())
  const { audit } = api
  const filters = await filtersOf(api, options)
  const print = (one: Entry): void => output.item(one, () => printEntry(output, one))
  const { size } = await audit.state()
  const newest = lines === 0 ? [] : await audit.read({ ...filters, limit: lines })
  newest.forEach(print)
  if (!(options.follow ?? output.isTerminal)) return
  let after = newest.at(-1)?.seq ?? size
  for (;;) {
    const entries = await audit.read({ ...filters, after, limit: maxEntries }, waitSeconds)
    entries.forEach(print)
    after = entries.at(-1)?.seq ?? after
  }
}

export async function showEntry({ output, signedIn }: Invocation, text: string): Promise<void> {
  const seq = readCount(text, { name: 'the number of an entry', min: 1, max: largestSeq - 1 })
  const { audit } = adminApi(await signedIn())
  const [entry] = await audit.read({ before: seq + 1, limit: 1 })
  if (entry?.seq !== seq) {
    throw new CliFailure('notFound', 'cli.unknown-entry', `there is no entry ${seq}`, 'see `castellan audit tail`')
  }
  output.result(entry, () => {
    output.facts([
      ['seq', String(entry.seq)],
      ['id', entry.id],
      ['time', entry.time],
      ['event', entry.event],
      ['outcome', outcomeOf(entry)],
      ['refusal', entry.refusal],
      ['person', entry.principal?.name],
      ['address', entry.address],
      ['target', targetOf(entry) || undefined],
      ['exchange', entry.exchange],
      ['duration', entry.durationMs === undefined ? undefined : `${entry.durationMs} ms`],
      ['size', entry.bytes === undefined ? undefined : `${entry.bytes} bytes`],
    ])
    if (entry.details !== undefined) {
      output.line({ text: 'details', tone: 'dim' })
      for (const line of JSON.stringify(entry.details, null, 2).split('\n')) output.line('  ', fit(line, 2_000))
    }
  })
}
