/**
 * Tests that would pass on wrong code prove nothing: Stryker changes one operator, condition or literal of the policy
 * room at a time, and some test of the room has to fail. It is installed into a copy of the tree for the run alone.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setup } from '../../test/world/postgres.ts'
import { startProgram } from '../../test/world/program.ts'
import { findRefused, type Mutant } from '../mutation/compiles.ts'
import { isPicked, type Picking } from '../mutation/pick.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const strykerVersion = '10.1.1'
const leastScore = 0.9
const copied = 'src test tools examples bin docs package.json package-lock.json tsconfig.json vitest.config.ts'.split(
  ' ',
)
const shownSurvivors = 2_000
// WHY: every mutant loads the room anew, and modules are never forgotten.
const mutantsPerProcess = 60

/** SPEC: mutation-testing-report-schema, the parts that are read. */
interface ReportedMutant extends Omit<Mutant, 'path'> {
  readonly status: string
  readonly mutatorName: string
}

interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly ReportedMutant[] }>>
}

interface Judged extends ReportedMutant {
  readonly path: string
}

interface Verdicts {
  /** What was asked for and judged, without what does not compile. */
  readonly judged: readonly Judged[]
  readonly survivors: readonly Judged[]
  /** Not noticed by a test, but by the compiler. */
  readonly notCompiled: number
  readonly count: number
}

function strykerConfig(only: string, lanes: number): string {
  return JSON.stringify({
    testRunner: 'in-process',
    plugins: ['./tools/mutation/stryker-runner.ts'],
    maxTestRunnerReuse: mutantsPerProcess,
    mutate: [`src/policy/${only}`, '!src/policy/**/*.test.ts', '!src/policy/**/{events,refusals,index}.ts'],
    // WHY: TypeScript 7 has no compiler API, which Stryker would use on a file that it finds.
    tsconfigFile: 'none.json',
    coverageAnalysis: 'perTest',
    concurrency: lanes,
    reporters: ['progress-append-only', 'json'],
    inPlace: true,
    timeoutMS: 20_000,
    // WHY: a slow machine needs more than the five minutes that it would be given.
    dryRunTimeoutMinutes: 30,
  })
}

async function step(
  [command = '', ...args]: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const program = startProgram(command, args, { cwd, env: { ...process.env, ...env } })
  let shown = 0
  const show = setInterval(() => {
    const output = program.output()
    process.stdout.write(output.slice(shown))
    shown = output.length
  }, 5_000)
  const code = await program.ended
  clearInterval(show)
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}\n${program.output().slice(-4_000)}`)
}

/** Prints what was not noticed as soon as it is known. */
function followSurvivors(path: string): () => void {
  let shown = 0
  const follow = setInterval(() => {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    process.stdout.write(text.slice(shown))
    shown = text.length
  }, 5_000)
  return () => clearInterval(follow)
}

const noticed = new Set(['Killed', 'Timeout'])
const unnoticed = new Set(['Survived', 'NoCoverage'])

async function verdictsOf(copy: string, picking: Picking): Promise<Verdicts> {
  const report = JSON.parse(readFileSync(join(copy, 'reports', 'mutation', 'mutation.json'), 'utf8')) as Report
  const all = Object.entries(report.files).flatMap(([path, { mutants }]) => mutants.map((one) => ({ path, ...one })))
  const isJudged = ({ status }: { readonly status: string }) => noticed.has(status) || unnoticed.has(status)
  const judged = all.filter((one) => isJudged(one) && isPicked({ ...one, line: one.location.start.line }, picking))
  const survivors = judged.filter(({ status }) => unnoticed.has(status))
  const refused = await findRefused(copy, survivors)
  const isLeft = (one: Judged) => !refused.has(one)
  return {
    judged: judged.filter(isLeft),
    survivors: survivors.filter(isLeft),
    notCompiled: refused.size,
    count: all.length,
  }
}

interface Asked {
  /** Below `src/policy`. */
  readonly only: string
  readonly lanes: number
  /** Of the mutants, from 0 to 1, picked by the seed. */
  readonly share: number
  readonly seed: string
}

async function mutate({ only, lanes, share, seed }: Asked): Promise<Verdicts> {
  const copy = mkdtempSync(join(tmpdir(), 'castellan-policy-mutation-'))
  try {
    for (const name of copied) {
      if (existsSync(join(root, name))) cpSync(join(root, name), join(copy, name), { recursive: true })
    }
    const quiet = ['--no-audit', '--no-fund']
    await step(['npm', 'ci', ...quiet], copy)
    await step(['npm', 'install', '--no-save', ...quiet, `@stryker-mutator/core@${strykerVersion}`], copy)
    writeFileSync(join(copy, 'stryker.json'), strykerConfig(only, lanes))
    const provided: Record<string, string> = {}
    const endPostgres = await setup({ provide: (name, value) => void (provided[`CASTELLAN_MUTATION_${name}`] = value) })
    const stopFollowing = followSurvivors(join(copy, 'reports', 'survived.txt'))
    try {
      const picking = { MUTATION_SHARE: String(share), MUTATION_SEED: seed }
      await step(['npx', '--no-install', 'stryker', 'run', 'stryker.json'], copy, { ...provided, ...picking })
    } finally {
      stopFollowing()
      await endPostgres()
    }
    return await verdictsOf(copy, { share, seed })
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const startedAt = performance.now()
  const { values } = parseArgs({
    args: [...flags],
    options: {
      only: { type: 'string', default: '**/*.ts' },
      lanes: { type: 'string', default: '2' },
      share: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    },
  })
  const [lanes, share] = [Number(values.lanes), Number(values.share)]
  if (!(share > 0 && share <= 1)) throw new Error('--share is more than 0 and at most 1')
  const { only, seed } = values
  const { judged, survivors, notCompiled, count } = await mutate({ only, lanes, share, seed })
  for (const [path, own] of Object.entries(Object.groupBy(judged, (one) => one.path))) {
    const killed = own?.filter(({ status }) => noticed.has(status)).length ?? 0
    console.log(`${path}: ${killed} of ${own?.length ?? 0}`)
  }
  for (const { path, location, mutatorName, replacement, status } of survivors.slice(0, shownSurvivors)) {
    console.log(`${status} ${path}:${location.start.line} ${mutatorName}: ${replacement?.slice(0, 100) ?? ''}`)
  }
  const score = judged.length === 0 ? 0 : 1 - survivors.length / judged.length
  // WHY: of a share, the score of all is within this of what is seen, nineteen times of twenty.
  const within = share === 1 || judged.length === 0 ? 0 : 1.96 * Math.sqrt((score * (1 - score)) / judged.length)
  return {
    holds: score >= leastScore,
    score: Number(score.toFixed(4)),
    within: Number(within.toFixed(4)),
    share,
    seed,
    leastScore,
    mutants: judged.length,
    noticed: judged.length - survivors.length,
    survived: survivors.length,
    notCompiled,
    notJudged: count - judged.length - notCompiled,
    only,
    seconds: Math.round((performance.now() - startedAt) / 1_000),
  }
}

export const proof: Proof = {
  shows: 'at least 90 % of the changes that Stryker makes in the policy room fail one of its tests',
  run,
}
