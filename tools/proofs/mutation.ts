/** A guard nobody would miss is no guard: each line of the pipeline is deleted once, and the attack tests have to notice. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../../test/world/program.ts'
import { mutantsOf, type Mutant } from '../mutants.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pipeline = 'src/gateway/pipeline.ts'
const copied = ['src', 'test', 'tools', 'examples', 'bin', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts']

/** A copy of the tree that may be broken. Packages are shared with the original. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'castellan-mutation-'))
  for (const name of copied) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

interface Report {
  readonly numTotalTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

/** Runs the attack tests in a copy, up to the first failure. @returns the title of the test that failed */
async function attack(copy: string): Promise<{ failedTest: string | undefined; tests: number; output: string }> {
  const report = join(copy, 'report.json')
  rmSync(report, { force: true })
  const vitest = join(root, 'node_modules', '.bin', 'vitest')
  const flags = ['run', 'test/attacks', '--bail=1', '--reporter=json', `--outputFile=${report}`]
  const { code, output } = await runProgram(vitest, flags, { cwd: copy })
  if (!existsSync(report)) return { failedTest: code === 0 ? undefined : 'the run itself', tests: 0, output }
  const { numTotalTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
  const failed = testResults.flatMap((file) => file.assertionResults).find((result) => result.status === 'failed')
  return { failedTest: failed?.fullName ?? (code === 0 ? undefined : 'a file'), tests: numTotalTests, output }
}

async function compiles(copy: string): Promise<boolean> {
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const { code } = await runProgram(tsc, ['--project', '.'], { cwd: copy })
  return code === 0
}

interface Verdict {
  readonly mutant: Mutant
  readonly failedTest: string | undefined
  readonly isCompiled: boolean
}

async function judge(copy: string, mutant: Mutant): Promise<Verdict> {
  writeFileSync(join(copy, pipeline), mutant.text)
  const isCompiled = await compiles(copy)
  const { failedTest } = await attack(copy)
  const noticed = failedTest === undefined ? 'SURVIVED' : `noticed by: ${failedTest}`
  console.log(`${mutant.list}.${mutant.guard}: ${isCompiled ? 'compiles' : 'does not compile'}; ${noticed}`)
  return { mutant, failedTest, isCompiled }
}

/** Judges what is left in the queue, in a copy of its own. */
async function lane(queue: Mutant[], verdicts: Verdict[]): Promise<void> {
  const copy = copyTree()
  try {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      verdicts.push(await judge(copy, mutant))
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** @returns how many attack tests there are. @throws when they do not pass on the whole pipeline */
async function passWhole(): Promise<number> {
  const copy = copyTree()
  try {
    const { failedTest, tests, output } = await attack(copy)
    if (!(await compiles(copy))) throw new Error('the tree does not compile with the whole pipeline')
    if (failedTest === undefined && tests > 0) return tests
    throw new Error(`the attack tests do not pass on the whole pipeline: ${failedTest ?? 'there are none'}\n${output}`)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const startedAt = performance.now()
  const only = flags.find((flag) => !flag.startsWith('-'))
  const mutants = mutantsOf(pipeline, readFileSync(join(root, pipeline), 'utf8'))
  const attackTests = await passWhole()
  console.log(`the whole pipeline passes ${attackTests} attack tests`)
  const queue = mutants.filter((mutant) => only === undefined || mutant.guard === only)
  const verdicts: Verdict[] = []
  await Promise.all([lane(queue, verdicts), lane(queue, verdicts)])
  const survivors = verdicts.filter((verdict) => verdict.failedTest === undefined)
  return {
    holds: verdicts.length > 0 && survivors.length === 0,
    mutants: verdicts.length,
    noticedByTests: verdicts.length - survivors.length,
    refusedByCompiler: verdicts.filter((verdict) => !verdict.isCompiled).length,
    survivors: survivors.map(({ mutant }) => `${mutant.list}.${mutant.guard}`),
    attackTests,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  }
}

export const proof: Proof = {
  shows:
    'no guard of the pipeline can be deleted without an attack test failing (a guard as argument runs only its line)',
  run,
}
