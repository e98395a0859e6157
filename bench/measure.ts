/**
 * Rounds of measurement: in each, every subject has its turn under the same load, so that what else the machine does meets
 * them all alike. What counts is the subject's own time on the processor for each call; rates depend on the machine.
 */
import type { Load, LoadResult } from './load.ts'
import type { Era } from './messages.ts'
import { costOf } from './process-cost.ts'
import type { Subject } from './subjects.ts'

export interface Plan {
  readonly rounds: number
  /** Of load on each subject in each round. */
  readonly seconds: number
  readonly connections: number
  /** Calls before the first round, for as long as `longestWarmUpSeconds` at most. */
  readonly warmUpCalls: number
}

const longestWarmUpSeconds = 20

/** One subject in one era. */
export interface Course {
  readonly name: string
  readonly subject: Subject
  readonly era: Era
}

export interface Sample {
  readonly cpuMicrosPerCall: number
  readonly perSecond: number
  readonly residentMegabytes: number
  readonly errors: number
  /** With all connections busy. */
  readonly busy: { readonly p50Ms: number; readonly p99Ms: number }
  /** With a single connection. */
  readonly alone: { readonly p50Ms: number; readonly p99Ms: number }
}

export interface Series {
  readonly course: Course
  readonly samples: readonly Sample[]
  /** Calls that were answered rightly, warming up included. */
  readonly calls: number
  readonly errors: number
  readonly problems: readonly string[]
}

interface Tally {
  calls: number
  errors: number
  problems: string[]
}

function count(tally: Tally, { calls, errors, problems }: LoadResult): void {
  tally.calls += calls - errors
  tally.errors += errors
  tally.problems.push(...problems)
}

async function sample({ subject, era }: Course, plan: Plan, load: Load, tally: Tally): Promise<Sample> {
  const target = subject.target(era)
  const before = costOf(subject.pid)
  const busy = await load.run({ target, connections: plan.connections, seconds: plan.seconds })
  const after = costOf(subject.pid)
  const alone = await load.run({ target, connections: 1, seconds: Math.min(1, plan.seconds) })
  count(tally, busy)
  count(tally, alone)
  return {
    cpuMicrosPerCall: ((after.cpuSeconds - before.cpuSeconds) / Math.max(1, busy.calls)) * 1e6,
    perSecond: busy.perSecond,
    residentMegabytes: after.residentBytes / 2 ** 20,
    errors: busy.errors + alone.errors,
    busy,
    alone,
  }
}

/** WHY: code that has just been started is interpreted first and compiled later, over tens of thousands of calls. */
async function warmUp({ subject, era }: Course, plan: Plan, load: Load, tally: Tally): Promise<void> {
  const target = subject.target(era)
  const seconds = Math.min(2, plan.seconds)
  const wanted = tally.calls + plan.warmUpCalls
  for (let spent = 0; tally.calls < wanted && spent < longestWarmUpSeconds; spent += seconds) {
    count(tally, await load.run({ target, connections: plan.connections, seconds }))
  }
}

/** @param told called after each sample, to show that something happens */
export async function measure(
  courses: readonly Course[],
  plan: Plan,
  load: Load,
  told: (round: number, course: Course, sample: Sample) => void,
): Promise<Series[]> {
  const series = courses.map((course) => {
    const tally: Tally = { calls: 0, errors: 0, problems: [] }
    return { course, samples: [] as Sample[], tally }
  })
  for (const { course, tally } of series) await warmUp(course, plan, load, tally)
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const { course, samples, tally } of series) {
      const taken = await sample(course, plan, load, tally)
      samples.push(taken)
      told(round, course, taken)
    }
  }
  return series.map(({ course, samples, tally }) => ({ course, samples, ...tally }))
}
