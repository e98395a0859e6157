import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { runProgram } from '../world/program.ts'

/** A protocol revision whose scenarios run at its own wire. For the last two the suite says which are required. */
export type Revision = '2025-03-26' | '2025-06-18' | '2025-11-25' | '2026-07-28'

export interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

export interface ScenarioRun {
  readonly scenario: string
  /** Whether it decides the outcome. The others run to be seen. */
  readonly isScored: boolean
  readonly checks: readonly Check[]
}

export interface SuiteRun {
  readonly scenarios: readonly ScenarioRun[]
  /** 0 when every scored scenario passes; a warning is a failure here. */
  readonly exitCode: number | string
  readonly output: string
  /** What was sent through a gateway; nothing when there is none in between. */
  readonly trace: { readonly requests: number; readonly exchanges: readonly string[] }
}

export interface SuiteOptions {
  readonly url: string
  readonly revision: Revision
  /** One scenario instead of the whole set. */
  readonly scenario?: string
  /** Sent with every request, when there is a gateway in between. */
  readonly token?: string
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const modules = '../../node_modules'

/** The scenarios that decide the outcome: those that a revision requires, as the suite itself has them, else all. */
function scoredScenarios(revision: Revision): ReadonlySet<string> | 'all' {
  const path = here(`${modules}/@modelcontextprotocol/conformance/requirements/${revision}.yaml`)
  if (!existsSync(path)) return 'all'
  return new Set((parse(readFileSync(path, 'utf8')) as { server: string[] }).server)
}

function whichScenarios({ revision, scenario }: SuiteOptions): string[] {
  if (scenario !== undefined) return ['--scenario', scenario, '--spec-version', revision]
  if (scoredScenarios(revision) === 'all') return ['--suite', 'all', '--spec-version', revision]
  return ['--requirements', revision]
}

/** What one scenario has found. */
export function readChecks(folder: string, scenario: string): readonly Check[] {
  const path = join(folder, 'checks.json')
  // WHY: a scenario that the suite itself gave up on has a folder and no checks in it.
  if (!existsSync(path)) return [{ id: scenario, status: 'FAILURE', errorMessage: 'the scenario did not end' }]
  return JSON.parse(readFileSync(path, 'utf8')) as Check[]
}

function readScenarios(folder: string, scored: ReadonlySet<string> | 'all'): ScenarioRun[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .map((name) => ({ name, scenario: /^server-(.+)-\d{4}-\d\d-\d\dT.*Z$/.exec(name)?.[1] ?? name }))
    .map(({ name, scenario }) => ({
      scenario,
      isScored: scored === 'all' || scored.has(scenario),
      checks: readChecks(join(folder, name), scenario),
    }))
    .toSorted((one, other) => one.scenario.localeCompare(other.scenario))
}

/** Runs the official suite against a server, with nothing on the list of expected failures. */
export async function runSuite(options: SuiteOptions): Promise<SuiteRun> {
  const { url, revision, token } = options
  const folder = mkdtempSync(join(tmpdir(), 'castellan-conformance-'))
  const results = join(folder, 'results')
  const trace = join(folder, 'trace.json')
  const flags = ['--expected-failures', here('expected-failures.yml'), '--output-dir', results]
  const bearer = {
    NODE_OPTIONS: `--import=${new URL('bearer-preload.ts', import.meta.url).href}`,
    CONFORMANCE_ORIGIN: new URL(url).origin,
    CONFORMANCE_TOKEN: token,
    CONFORMANCE_TRACE: trace,
  }
  const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', ...(token === undefined ? {} : bearer) }
  try {
    const cli = here(`${modules}/.bin/conformance`)
    const args = [cli, 'server', '--url', url, ...whichScenarios(options), ...flags]
    const { code, output } = await runProgram(process.execPath, args, { env, cwd: folder })
    return {
      exitCode: code,
      output,
      scenarios: readScenarios(results, scoredScenarios(revision)),
      trace:
        token === undefined
          ? { requests: 0, exchanges: [] }
          : (JSON.parse(readFileSync(trace, 'utf8')) as SuiteRun['trace']),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** How many checks of these scenarios had each end. */
export function countOf(scenarios: readonly ScenarioRun[]) {
  const statuses = scenarios.flatMap(({ checks }) => checks.map(({ status }) => status))
  const count = (wanted: Check['status']): number => statuses.filter((status) => status === wanted).length
  return { passed: count('SUCCESS'), failed: count('FAILURE'), warnings: count('WARNING'), skipped: count('SKIPPED') }
}
