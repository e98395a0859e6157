/** Kills the gateway under load again and again, and holds the ledger against what everybody else knows. */
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyLedger } from '#audit'
import type { Random } from '../fuzz/random.ts'
import { chooseInjection, type Instant, kill, nextCommit, start, type Started, untilReady } from './gateway.ts'
import { checkLedger, type LedgerCheck } from './ledger-check.ts'
import { type Called, startLoad } from './load.ts'
import { type Scene, setScene } from './scene.ts'

export interface CyclesOptions {
  readonly cycles: number
  readonly random: Random
  readonly callers: number
  /** Variables of the environment, such as the database. */
  readonly env?: NodeJS.ProcessEnv
  /** Whether system calls can be counted and killed in. */
  readonly hasTracer: boolean
  /** Told after each cycle. */
  readonly onCycle?: (cycle: number, figures: CyclesFigures) => void
}

export interface CyclesFigures {
  cycles: number
  readonly kills: Record<Instant, number>
  /** Lives that were killed before they were ready. */
  killedBeforeReady: number
  calls: number
  acknowledged: number
  refused: number
  /** The connection broke before the answer. */
  unanswered: number
  arrivals: number
  entries: number
  interrupted: number
  /** From the start of the process to its being ready, untraced lives only. */
  readonly restartMs: number[]
  /** Of it, from opening the data folder. */
  readonly recoveryMs: number[]
  readonly openings: Record<string, number>
  readonly problems: string[]
}

const settleMs = 10_000
const longestLoadMs = 700
const longestStartMs = 900
const commitWaitMs = 300

function chooseInstant(random: Random, hasTracer: boolean): Instant {
  const choice = random.below(20)
  if (choice < 2) return 'start'
  if (choice < 7 && hasTracer) return 'system-call'
  return choice < 13 ? 'commit' : 'random'
}

function emptyFigures(): CyclesFigures {
  return {
    cycles: 0,
    kills: { random: 0, commit: 0, 'system-call': 0, start: 0 },
    killedBeforeReady: 0,
    calls: 0,
    acknowledged: 0,
    refused: 0,
    unanswered: 0,
    arrivals: 0,
    entries: 0,
    interrupted: 0,
    restartMs: [],
    recoveryMs: [],
    openings: {},
    problems: [],
  }
}

interface Run extends CyclesOptions {
  readonly scene: Scene
  readonly check: LedgerCheck
  readonly figures: CyclesFigures
  /** Calls that are not held against the ledger yet. */
  pending: Called[]
}

/** Everything that must hold once the process is up again. */
async function examine({ scene, check, figures, pending }: Run): Promise<void> {
  const arrivals = scene.arrivals()
  figures.problems.push(...(await check.settle(settleMs)), ...check.compare(pending.splice(0), arrivals))
  figures.arrivals += arrivals.length
  figures.entries = check.size()
  figures.interrupted = check.interrupted()
  const { holds, firstProblem } = await verifyLedger({ folder: scene.dataDir })
  if (!holds) figures.problems.push(`the ledger does not verify: ${firstProblem?.says ?? 'no reason'}`)
}

function count(figures: CyclesFigures, calls: readonly Called[]): void {
  figures.calls += calls.length
  for (const { isResult, status } of calls) {
    if (isResult === true) figures.acknowledged += 1
    else if (status === undefined) figures.unanswered += 1
    else figures.refused += 1
  }
}

function time(figures: CyclesFigures, { restartMs, recoveryMs }: Started): void {
  figures.restartMs.push(restartMs)
  figures.recoveryMs.push(recoveryMs)
}

/** Resolves at the instant to kill at. */
async function untilInstant({ random, scene }: Run, instant: Instant, ended: Promise<unknown>): Promise<void> {
  const whileMs = 30 + random.below(longestLoadMs)
  await Promise.race([sleep(whileMs), ended])
  if (instant !== 'commit') return
  await nextCommit(scene.dataDir, commitWaitMs)
  // WHY: flushing takes a fraction of a millisecond to a few: kills fall before, into and after it.
  const waitUntil = performance.now() + random.below(300) / 100
  while (performance.now() < waitUntil);
}

/** One life: start, examination of what the last kill left, load, kill. */
async function live(run: Run): Promise<void> {
  const { random, scene, figures } = run
  const instant = chooseInstant(random, run.hasTracer)
  const startedAt = performance.now()
  const program = start(scene.castellan.env, instant === 'system-call' ? chooseInjection(random) : undefined)
  figures.cycles += 1
  figures.kills[instant] += 1
  try {
    if (instant === 'start') {
      await sleep(random.below(longestStartMs))
      return
    }
    const started = await untilReady(program, startedAt)
    if (started === undefined) {
      figures.killedBeforeReady += 1
      if (instant !== 'system-call') figures.problems.push(`castellan did not start: ${program.output()}`)
      return
    }
    if (instant !== 'system-call') time(figures, started)
    await examineUnlessGone(run, program.ended)
    const { gatewayUrl } = scene.castellan
    const load = startLoad({ gatewayUrl, token: scene.token, callers: run.callers })
    await untilInstant(run, instant, program.ended)
    await kill(program)
    await load.stop()
    count(figures, load.calls)
    run.pending.push(...load.calls)
  } finally {
    await kill(program)
  }
}

/** A kill inside a system call may fall into the examination: then the next life is examined. */
async function examineUnlessGone(run: Run, ended: Promise<unknown>): Promise<void> {
  let isGone = false
  void ended.then(() => (isGone = true))
  const pending = [...run.pending]
  const known = run.figures.problems.length
  await examine(run)
  if (!isGone || run.figures.problems.length === known) return
  run.figures.problems.splice(known)
  run.pending = pending
}

/** The last life is not killed: it is examined, stopped as an operator would, and examined offline. */
async function liveToTheEnd(run: Run): Promise<void> {
  const { scene, figures } = run
  const startedAt = performance.now()
  const program = start(scene.castellan.env)
  const started = await untilReady(program, startedAt)
  if (started === undefined) throw new Error(`castellan did not start after the last kill: ${program.output()}`)
  time(figures, started)
  await examine(run)
  const code = await program.stop()
  if (code !== 0) figures.problems.push(`a stop after all kills ended with ${code}`)
  const { holds } = await verifyLedger({ folder: scene.dataDir })
  if (!holds) figures.problems.push('the ledger does not verify offline')
  Object.assign(figures.openings, Object.fromEntries(run.check.openings))
}

export async function runCycles(options: CyclesOptions): Promise<CyclesFigures> {
  const scene = await setScene(options.env)
  try {
    const figures = emptyFigures()
    const run: Run = { ...options, scene, check: checkLedger(scene.dataDir), figures, pending: [] }
    await kill(scene.castellan.program)
    while (figures.cycles < options.cycles) {
      await live(run)
      options.onCycle?.(figures.cycles, figures)
    }
    await liveToTheEnd(run)
    return figures
  } finally {
    await scene.end()
  }
}
