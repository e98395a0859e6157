/** The official suite's scenarios for authorization servers; the person's part is done in the real browser. */
import { fileURLToPath } from 'node:url'
import { freePorts, startProgram } from '../../test/world/program.ts'
import { register } from '../../test/world/oauth/client.ts'
import { type Cells, must } from './cells.ts'
import type { Stage } from './stage.ts'

const suite = fileURLToPath(new URL('../../node_modules/.bin/conformance', import.meta.url))
export const scenarios = ['authorization-server-metadata-endpoint', 'authorization-code-grant'] as const
const longestMs = 60_000

/** What the suite printed about all its scenarios: the later ones go on from what the first found. */
async function runAll({ castellan, url, consent }: Stage): Promise<string> {
  const [port = 0] = await freePorts(1)
  const redirect = `http://127.0.0.1:${port}/callback`
  const { body } = await register(castellan.gatewayUrl, { client_name: 'The suite', redirect_uris: [redirect] })
  const about = ['--url', castellan.gatewayUrl, '--resource', url.href]
  const client = ['--client-id', String(body['client_id']), '--port', String(port)]
  const program = startProgram(process.execPath, [suite, 'authorization', ...about, ...client])
  const address = new RegExp(`${castellan.gatewayUrl}/oauth/authorize\\?\\S+`)
  const asked = program.waitFor(address, longestMs).then(
    ([found]) => consent(found),
    () => undefined,
  )
  await Promise.all([program.ended, asked])
  return program.output()
}

/** Whether the suite's summary says that all checks of a scenario passed, and that there were some. */
export function isPassed(output: string, scenario: string): boolean {
  const summary = output.slice(output.lastIndexOf('=== SUMMARY ==='))
  return new RegExp(`^✓ ${scenario}: [1-9]\\d* passed, 0 failed$`, 'm').test(summary)
}

/** Runs all scenarios that the suite has, and takes down each. */
export async function runSuite(stage: Stage, cells: Cells): Promise<void> {
  const output = await runAll(stage)
  const [, count] = /Running test \((\d+) scenarios\)/.exec(output) ?? []
  await cells.step('official suite', 'has the scenarios that are known here', async () => {
    must(Number(count) === scenarios.length, output.slice(0, 300))
  })
  for (const scenario of scenarios) {
    await cells.step('official suite', scenario, async () => {
      must(isPassed(output, scenario), output.slice(-600))
    })
  }
}
