/**
 * What does a tool call cost with everything on? The same load direct, through a bare proxy, through proxies made of the
 * official libraries, and through Castellan, in turns and in one run, because only ratios within one run carry over.
 */
import { parseArgs } from 'node:util'
import { type Load, startLoad } from '../../bench/load.ts'
import { type Course, measure, type Plan, type Sample, type Series } from '../../bench/measure.ts'
import { ratio, rowOf, tableOf } from '../../bench/report.ts'
import {
  type CastellanSubject,
  type RunningSubject,
  startCastellan,
  startProxy,
  startUpstream,
} from '../../bench/subjects.ts'
import { runProgram } from '../../test/world/program.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const mostTimesBare = 2.5
const mostOfLibraries = 0.1
const launcher = new URL('../../bin/castellan.js', import.meta.url).pathname

function readPlan(flags: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
      'warm-up': { type: 'string', default: '30000' },
    },
  })
  const plan = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    warmUpCalls: Number(values['warm-up']),
  }
  const isPlan = Object.values(plan).every((figure) => Number.isFinite(figure) && figure > 0)
  if (!isPlan) throw new Error('usage: bench [--rounds 5] [--seconds 5] [--connections 64] [--warm-up 30000]')
  return plan
}

interface Subjects {
  readonly direct: RunningSubject
  readonly bare: RunningSubject
  readonly libraries: readonly RunningSubject[]
  readonly castellan: CastellanSubject
}

async function withSubjects<T>(work: (subjects: Subjects) => Promise<T>): Promise<T> {
  const started: RunningSubject[] = []
  const keep = <S extends RunningSubject>(subject: S): S => {
    started.push(subject)
    return subject
  }
  try {
    const direct = keep(await startUpstream())
    const upstream = `http://127.0.0.1:${direct.target('legacy').port}/mcp`
    const bare = keep(await startProxy('bare', upstream))
    const libraries = [keep(await startProxy('sdk-1', upstream)), keep(await startProxy('sdk-2', upstream))]
    const castellan = keep(await startCastellan(upstream))
    return await work({ direct, bare, libraries, castellan })
  } finally {
    for (const subject of started.toReversed()) await subject.end()
  }
}

/** The legacy era is compared, because the libraries' 1.x speaks no other; the modern one is shown beside it. */
function coursesOf({ direct, bare, libraries, castellan }: Subjects) {
  const course = (subject: RunningSubject, era: Course['era'] = 'legacy'): Course => ({
    name: era === 'legacy' ? subject.name : `${subject.name}, ${era}`,
    subject,
    era,
  })
  return [
    course(direct),
    course(bare),
    course(castellan),
    ...libraries.map((library) => course(library)),
    course(bare, 'modern'),
    course(castellan, 'modern'),
  ]
}

function tell(round: number, { name }: Course, sample: Sample): void {
  const cpu = `${sample.cpuMicrosPerCall.toFixed(0)} µs/call`
  console.log(`round ${round}  ${name.padEnd(18)} ${cpu.padStart(14)} ${sample.perSecond.toFixed(0).padStart(7)}/s`)
}

/** How many calls the ledger holds an intent for, and whether it verifies. */
async function readLedger({ castellan }: CastellanSubject): Promise<{ intents: number; verifies: boolean }> {
  let [intents, after] = [0, 0]
  for (;;) {
    const { body } = await castellan.ana.api('GET', `/audit?event=call.intended&after=${after}&limit=500`)
    const items = body['items'] as { seq: number; target?: { kind: string } }[]
    intents += items.filter(({ target }) => target?.kind === 'tool').length
    const last = items.at(-1)
    if (last === undefined) break
    after = last.seq
  }
  await castellan.program.stop()
  const { code } = await runProgram(process.execPath, [launcher, 'audit', 'verify', '--json'], { env: castellan.env })
  return { intents, verifies: code === 0 }
}

function found(series: readonly Series[], name: string): Series {
  const one = series.find(({ course }) => course.name === name)
  if (one === undefined) throw new Error(`${name} was not measured`)
  return one
}

function callsOf(series: readonly Series[], subject: string): number {
  return series
    .filter(({ course }) => course.subject.name === subject)
    .map(({ calls }) => calls)
    .reduce((sum, calls) => sum + calls, 0)
}

async function compare(subjects: Subjects, plan: Plan, load: Load): Promise<ProofOutcome> {
  const series = await measure(coursesOf(subjects), plan, load, tell)
  const { intents, verifies } = await readLedger(subjects.castellan)
  const [direct, bare, castellan] = ['direct', 'bare', 'castellan'].map((name) => found(series, name)) as [
    Series,
    Series,
    Series,
  ]
  const rows = series.map((one) =>
    rowOf(one, direct, one.course.era === 'modern' ? found(series, 'bare, modern') : bare),
  )
  console.log(`\n${tableOf(rows)}`)
  console.log(
    `\nmedians of ${plan.rounds} rounds of ${plan.seconds} s; milliseconds added to direct with ${plan.connections}` +
      ' connections busy and with one; the upstream is the subject `direct`',
  )
  const timesBare = ratio(castellan, bare)
  const ofLibraries = subjects.libraries.map(({ name }) => ratio(castellan, found(series, name)))
  const timesBareModern = ratio(found(series, 'castellan, modern'), found(series, 'bare, modern'))
  const errors = series.reduce((sum, one) => sum + one.errors, 0)
  for (const problem of series.flatMap((one) => one.problems).slice(0, 3)) console.log(`problem: ${problem}`)
  const answered = callsOf(series, 'castellan')
  const isCheap = timesBare <= mostTimesBare && ofLibraries.every((share) => share <= mostOfLibraries)
  return {
    holds: isCheap && errors === 0 && verifies && intents === answered,
    timesBare,
    timesBareModern,
    ofSdk1: ofLibraries[0],
    ofSdk2: ofLibraries[1],
    errors,
    answeredCalls: answered,
    intents,
    ledgerVerifies: verifies,
    subjects: rows,
  }
}

export const proof: Proof = {
  shows: `a call costs at most ${mostTimesBare} times a bare proxy's CPU, and a tenth of a proxy of the official libraries`,
  async run(flags) {
    const plan = readPlan(flags)
    const load = startLoad()
    try {
      return await withSubjects((subjects) => compare(subjects, plan, load))
    } finally {
      load.end()
    }
  },
}
