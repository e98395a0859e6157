/** Runs the official suite's scenarios for clients, with Castellan as the client of the suite's own servers. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Era } from '#protocol'
import { runProgram } from '../world/program.ts'
import { type Check, readChecks, type Revision } from './suite.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const modules = '../../node_modules'
const timeoutMs = '60000'

export interface ClientScenario {
  readonly scenario: string
  /** Of the suite's server. */
  readonly revision: Revision
  /** Of the client that reaches it through Castellan. */
  readonly clientEra: Era
}

export interface ClientRun extends ClientScenario {
  readonly checks: readonly Check[]
  /** What was printed, for whoever has to find out why. */
  readonly output: string
}

/** The scenarios for clients that decide whether a revision is met. */
export function scoredClientScenarios(revision: Revision): readonly string[] {
  const path = here(`${modules}/@modelcontextprotocol/conformance/requirements/${revision}.yaml`)
  return (parse(readFileSync(path, 'utf8')) as { client: string[] }).client
}

/** Runs one scenario: the suite starts its server, then Castellan in front of it and a client of that era. */
export async function runClientScenario(asked: ClientScenario): Promise<ClientRun> {
  const { scenario, revision, clientEra } = asked
  const folder = mkdtempSync(join(tmpdir(), 'castellan-conformance-'))
  const results = join(folder, 'results')
  try {
    const command = `${process.execPath} ${here('client-program.ts')} ${clientEra}`
    const which = ['--scenario', scenario, '--spec-version', revision]
    const cli = here(`${modules}/.bin/conformance`)
    const args = [cli, 'client', '--command', command, ...which, '--timeout', timeoutMs, '--output-dir', results]
    const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', NODE_NO_WARNINGS: '1' }
    const { output } = await runProgram(process.execPath, args, { env, cwd: folder })
    const [written] = readdirSync(results, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('checks.json'),
    )
    return { ...asked, output, checks: readChecks(join(results, written ?? 'none', '..'), scenario) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
