/** The promise that no call is lost: kill -9 at any instant, a full disk, flushes that fail; the ledger has every call. */
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { type CyclesFigures, runCycles } from '../kill/cycles.ts'
import { failFlush, type FaultFigures, fillDisk, flushMs, hasTracer } from '../kill/faults.ts'
import { withPostgres } from '../kill/postgres.ts'
import { createRandom } from '../fuzz/random.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const usualCycles = 200
/** Of the cycles on SQLite, so many are run on PostgreSQL too. */
const postgresShare = 0.1
const fewestPostgresCycles = 5
const callers = 16
const tellEvery = 10
const shownProblems = 5
/** The fault model allows this long from opening the data folder to being ready; loading the program comes before it. */
const mostRecoveryMs = 2_000

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}

function tell(name: string, startedAt: number, { cycles, entries, acknowledged, problems }: CyclesFigures): void {
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  const wrong = problems.length === 0 ? 'nothing wrong' : `${problems.length} wrong`
  console.log(
    `${String(seconds).padStart(5)} s  ${name}: ${cycles} kills, ${acknowledged} calls answered, ${entries} entries, ${wrong}`,
  )
}

async function cyclesOn(name: string, options: { cycles: number; seed: number; env?: NodeJS.ProcessEnv }) {
  const startedAt = performance.now()
  const { cycles, seed, env } = options
  const figures = await runCycles({
    cycles,
    random: createRandom(seed),
    callers,
    hasTracer: hasTracer(),
    onCycle: (cycle, soFar) => {
      if (cycle % tellEvery === 0 || soFar.problems.length > 0) tell(name, startedAt, soFar)
      if (soFar.problems.length > shownProblems) throw new Error(soFar.problems.slice(0, shownProblems).join('; '))
    },
    ...(env === undefined ? {} : { env }),
  })
  for (const problem of figures.problems.slice(0, shownProblems)) console.log(`         ${problem}`)
  const { restartMs, recoveryMs, problems, ...rest } = figures
  return {
    ...rest,
    restartP50Ms: percentile(restartMs, 0.5),
    restartP99Ms: percentile(restartMs, 0.99),
    recoveryP50Ms: percentile(recoveryMs, 0.5),
    recoveryP99Ms: percentile(recoveryMs, 0.99),
    problems: problems.length,
  }
}

/** Runs one fault, or says loudly that this machine cannot bring it about. */
async function faultOf(name: string, isPossible: boolean, run: () => Promise<FaultFigures>) {
  if (!isPossible) {
    console.log(`NOT RUN  ${name}: this machine has no strace, or lets nobody trace`)
    return { isRun: false, problems: 1 }
  }
  try {
    const { problems, ...figures } = await run()
    console.log(
      `         ${name}: ${figures.refused} of ${figures.calls} calls refused, served again after ${figures.resumedAfterMs} ms`,
    )
    for (const problem of problems.slice(0, shownProblems)) console.log(`         WRONG: ${problem}`)
    return { ...figures, isRun: true, problems: problems.length }
  } catch (error) {
    console.log(`NOT RUN  ${name}: ${error instanceof Error ? error.message : String(error)}`)
    return { isRun: false, problems: 1 }
  }
}

function whole(name: string, written: string): number {
  if (/^\d{1,9}$/.test(written)) return Number(written)
  throw new Error(`${name} takes a whole number`)
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const { values } = parseArgs({
    args: [...flags],
    options: { cycles: { type: 'string' }, seed: { type: 'string' } },
  })
  const cycles = whole('--cycles', values.cycles ?? String(usualCycles))
  const seed = whole('--seed', values.seed ?? String(Date.now() % 1_000_000))
  const isTraced = hasTracer()
  const oneFlushMs = Math.round(flushMs(tmpdir()) * 100) / 100
  console.log(
    `seed ${seed}; ${cycles} kills on SQLite, then PostgreSQL, then faults of the disk; one flush takes ${oneFlushMs} ms`,
  )
  if (!isTraced) console.log('NOT RUN  kills inside system calls: this machine has no strace, or lets nobody trace')
  const startedAt = performance.now()
  const sqlite = await cyclesOn('SQLite', { cycles, seed })
  const postgresCycles = Math.max(fewestPostgresCycles, Math.round(cycles * postgresShare))
  const postgres = await withPostgres((url) =>
    cyclesOn('PostgreSQL', { cycles: postgresCycles, seed: seed + 1, env: { CASTELLAN_DATABASE__URL: url } }),
  )
  const diskFull = await faultOf('disk full', true, fillDisk)
  const flushFailsOnce = await faultOf('a flush fails once', isTraced, () => failFlush('once'))
  const flushFailsAlways = await faultOf('every flush fails', isTraced, () => failFlush('always'))
  const parts = [sqlite, postgres, diskFull, flushFailsOnce, flushFailsAlways]
  const isRecoveredInTime = sqlite.recoveryP99Ms <= mostRecoveryMs
  return {
    holds: parts.every(({ problems }) => problems === 0) && isRecoveredInTime,
    seed,
    seconds: Math.round((performance.now() - startedAt) / 1_000),
    hasKillsInSystemCalls: isTraced,
    oneFlushMs,
    isRecoveredInTime,
    sqlite,
    postgres,
    diskFull,
    flushFailsOnce,
    flushFailsAlways,
  }
}

export const proof: Proof = {
  shows:
    'kill -9 under load, a full disk and failing flushes lose no call: each that was answered or arrived is on record',
  run,
}
