/**
 * A test runner for Stryker that runs the tests of the policy room in its own process: a mutant costs the tests that
 * reach it, and the room loaded once, but no start of a test runner. Tests beside the mutant go first, then the fastest,
 * and what is slow or asks the second database at last; the first that fails ends it. What no test has noticed after
 * some seconds counts as unnoticed, so that the score is at least what is told, and one mutant that everything reaches
 * costs no minutes.
 * @see stryker-mutator.io: creating a plugin, TestRunner
 */
import { appendFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { beginAnew, loadFile } from './load-fresh.ts'
import { isPicked } from './pick.ts'
import { type Collected, closeFile, collect, finish } from './test-api.ts'

interface Namespace {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  mutantCoverage?: object
  hitCount?: number | undefined
  hitLimit?: number | undefined
}

interface TestRun {
  readonly id: string
  readonly name: string
  readonly timeSpentMs: number
  readonly failure?: string
}

interface MutantRun {
  readonly activeMutant: {
    readonly id: string
    readonly fileName: string
    readonly mutatorName: string
    readonly replacement: string
    /** SPEC: Stryker's API, lines from 0. */
    readonly location: { readonly start: { readonly line: number } }
  }
  readonly testFilter?: readonly string[]
  readonly hitLimit?: number
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const [leastTimeoutMs, timesSlower, finishMs] = [8_000, 10, 5_000]
const patienceMs = 20_000
/** What takes longer goes last. */
const quickMs = 1_500
const mostShown = 100
const [success, failed] = [0, 1]
const separator = ' :: '

async function within<T>(ms: number, work: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Errors that nobody awaits fail whatever test runs. */
function watchStrays(): () => unknown {
  let stray: unknown
  const note = (error: unknown): void => {
    stray ??= error ?? new Error('nothing was thrown')
  }
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  return () => {
    const found = stray
    stray = undefined
    return found
  }
}

/** SPEC: Stryker's instrumenter, the name under which a mutated file finds what is switched on. */
const world: Namespace = ((globalThis as Record<string, unknown>)['__stryker__'] ??= {})
/** One line for each mutant that no test has noticed, as soon as that is known. */
const survivedPath = join(root, 'reports', 'survived.txt')
const spentPath = join(root, 'reports', 'spent.json')
/** Milliseconds by test. */
const spent = new Map<string, number>()
const takeStray = watchStrays()

async function runOne({ name, run }: Collected, id: string): Promise<TestRun> {
  const startedAt = performance.now()
  const limit = Math.max(leastTimeoutMs, timesSlower * (spent.get(id) ?? 0))
  let failure: unknown
  try {
    await within(limit, run)
  } catch (error) {
    failure = error ?? new Error('nothing was thrown')
  }
  await within(finishMs, finish).catch((error: unknown) => (failure ??= error))
  failure ??= takeStray()
  const timeSpentMs = performance.now() - startedAt
  return { id, name, timeSpentMs, ...(failure === undefined ? {} : { failure: inspect(failure) }) }
}

async function* runFile(path: string, ids?: ReadonlySet<string>): AsyncGenerator<TestRun> {
  // WHY: what runs when a file is loaded belongs to no test.
  world.currentTestId = undefined
  const tests = await collect(() => loadFile(path))
  try {
    for (const test of tests) {
      const id = `${path}${separator}${test.name}`
      if (ids?.has(id) === false) continue
      world.currentTestId = id
      yield await runOne(test, id)
    }
  } finally {
    await within(finishMs, closeFile)
  }
}

async function dryRun() {
  const tests: TestRun[] = []
  beginAnew()
  for (const path of globSync('src/policy/**/*.test.ts', { cwd: root }).toSorted()) {
    for await (const run of runFile(path)) tests.push(run)
  }
  for (const { id, timeSpentMs } of tests) spent.set(id, timeSpentMs)
  mkdirSync(dirname(spentPath), { recursive: true })
  writeFileSync(spentPath, JSON.stringify([...spent]))
  const told = tests.map(({ failure, ...run }) =>
    failure === undefined ? { ...run, status: success } : { ...run, status: failed, failureMessage: failure },
  )
  return { status: 'complete', tests: told, mutantCoverage: world.mutantCoverage }
}

/** WHY: one process runs all tests before the first mutant; the others, and those that come later, know of it by a file. */
function recallSpent(): void {
  if (spent.size > 0) return
  const kept = JSON.parse(readFileSync(spentPath, 'utf8')) as [string, number][]
  for (const [id, ms] of kept) spent.set(id, ms)
}

/** The files that hold these tests: those beside the mutant, then those that are done soonest. */
function filesOf(ids: readonly string[], mutated: string): readonly string[] {
  const byFile = Map.groupBy(ids, (id) => id.slice(0, id.indexOf(separator)))
  const folder = dirname(relative(root, mutated))
  const costOf = (path: string, own: readonly string[]): number => {
    const beside = dirname(path) === folder ? 0 : patienceMs
    return beside + own.reduce((sum, id) => sum + (spent.get(id) ?? 0), 0)
  }
  return [...byFile]
    .map(([path, own]) => ({ path, cost: costOf(path, own) }))
    .toSorted((one, other) => one.cost - other.cost)
    .map(({ path }) => path)
}

interface Verdict {
  readonly failure?: TestRun
  readonly count: number
}

async function failureOf(ids: readonly string[], mutated: string, endMs: number): Promise<Verdict> {
  let count = 0
  // WHY: a file that was loaded before registers its tests no second time.
  beginAnew()
  for (const path of filesOf(ids, mutated)) {
    if (performance.now() > endMs) break
    for await (const run of runFile(path, new Set(ids))) {
      count += 1
      if (run.failure !== undefined) return { failure: run, count }
    }
  }
  return { count }
}

/** WHY: what fails on one database mostly does on the other: the slower one is asked of what is left. */
function isQuick(id: string): boolean {
  return !id.includes('(PostgreSQL)') && (spent.get(id) ?? 0) <= quickMs
}

async function firstFailure(ids: readonly string[], mutated: string): Promise<Verdict> {
  const endMs = performance.now() + patienceMs
  const quick = await failureOf(ids.filter(isQuick), mutated, endMs)
  if (quick.failure !== undefined) return quick
  const slow = await failureOf(
    ids.filter((id) => !isQuick(id)),
    mutated,
    endMs,
  )
  return { ...slow, count: quick.count + slow.count }
}

const { MUTATION_SHARE: share = '1', MUTATION_SEED: seed = '' } = process.env
const picking = { share: Number(share), seed }

async function mutantRun({ activeMutant, testFilter, hitLimit }: MutantRun) {
  const { fileName, location, mutatorName, replacement } = activeMutant
  const path = relative(root, fileName)
  const line = location.start.line + 1
  if (!isPicked({ path, line, mutatorName, replacement }, picking))
    return { status: 'error', errorMessage: 'not picked' }
  recallSpent()
  const ids = testFilter ?? [...spent.keys()]
  Object.assign(world, { activeMutant: activeMutant.id, hitCount: 0, hitLimit })
  // WHY: threads of the room have globals of their own and read it there.
  process.env['__STRYKER_ACTIVE_MUTANT__'] = activeMutant.id
  try {
    const { failure, count } = await firstFailure(ids, fileName)
    if (hitLimit !== undefined && (world.hitCount ?? 0) > hitLimit) return { status: 'timeout', reason: 'hit limit' }
    if (failure === undefined) {
      appendFileSync(survivedPath, `survived ${path}:${line} ${mutatorName}: ${replacement.slice(0, mostShown)}\n`)
      return { status: 'survived', nrOfTests: count }
    }
    return { status: 'killed', killedBy: [failure.id], failureMessage: failure.failure, nrOfTests: count }
  } catch (error) {
    return { status: 'killed', killedBy: ids.slice(0, 1), failureMessage: inspect(error), nrOfTests: 1 }
  } finally {
    delete process.env['__STRYKER_ACTIVE_MUTANT__']
  }
}

const runner = { capabilities: () => ({ reloadEnvironment: true }), dryRun, mutantRun }
const createRunner = Object.assign(() => runner, { inject: [] })

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in-process', factory: createRunner }]
