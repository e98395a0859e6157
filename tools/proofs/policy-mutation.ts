/**
 * Tests that would pass on wrong code prove nothing: Stryker changes one operator, condition or literal of the policy
 * room at a time, and some test of the room has to fail. It is installed into a copy of the tree for the run alone.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setup } from '../../test/world/postgres.ts'
import { startProgram } from '../../test/world/program.ts'
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
interface Report {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly mutants: readonly {
          readonly status: string
          readonly mutatorName: string
          readonly replacement?: string
          readonly location: { readonly start: { readonly line: number } }
        }[]
      }
    >
  >
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

async function mutate(only: string, lanes: number): Promise<Report> {
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
      await step(['npx', '--no-install', 'stryker', 'run', 'stryker.json'], copy, provided)
    } finally {
      stopFollowing()
      await endPostgres()
    }
    return JSON.parse(readFileSync(join(copy, 'reports', 'mutation', 'mutation.json'), 'utf8')) as Report
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const noticed = new Set(['Killed', 'Timeout'])
const unnoticed = new Set(['Survived', 'NoCoverage'])

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const startedAt = performance.now()
  const { values } = parseArgs({
    args: [...flags],
    options: { only: { type: 'string', default: '**/*.ts' }, lanes: { type: 'string', default: '2' } },
  })
  const report = await mutate(values.only, Number(values.lanes))
  const all = Object.entries(report.files).flatMap(([path, { mutants }]) => mutants.map((one) => ({ path, ...one })))
  const judged = all.filter(({ status }) => noticed.has(status) || unnoticed.has(status))
  const survivors = judged.filter(({ status }) => unnoticed.has(status))
  for (const [path, own] of Object.entries(Object.groupBy(judged, (one) => one.path))) {
    const killed = own?.filter(({ status }) => noticed.has(status)).length ?? 0
    console.log(`${path}: ${killed} of ${own?.length ?? 0}`)
  }
  for (const { path, location, mutatorName, replacement, status } of survivors.slice(0, shownSurvivors)) {
    console.log(`${status} ${path}:${location.start.line} ${mutatorName}: ${replacement?.slice(0, 100) ?? ''}`)
  }
  const score = judged.length === 0 ? 0 : 1 - survivors.length / judged.length
  return {
    holds: score >= leastScore,
    score: Number(score.toFixed(4)),
    leastScore,
    mutants: judged.length,
    noticed: judged.length - survivors.length,
    survived: survivors.length,
    notJudged: all.length - judged.length,
    only: values.only,
    seconds: Math.round((performance.now() - startedAt) / 1_000),
  }
}

export const proof: Proof = {
  shows: 'at least 90 % of the changes that Stryker makes in the policy room fail one of its tests',
  run,
}
