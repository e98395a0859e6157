import { expect, onTestFinished, test } from 'vitest'
import { startWorld } from '../world/castellan.ts'
import { putBehind } from '../world/servers/peers.ts'
import { type Revision, runSuite } from './suite.ts'
import { startUpstream } from './upstreams.ts'

const scenarios: readonly (readonly [Revision, string])[] = [
  ['2025-11-25', 'server-session-lifecycle'],
  ['2025-11-25', 'server-sse-polling'],
  ['2025-11-25', 'tools-call-elicitation'],
  ['2026-07-28', 'server-stateless'],
  ['2026-07-28', 'http-custom-header-server-validation'],
]

test('some scenarios of the official suite pass through the gateway; the proof `conformance` runs all of them', async () => {
  const [world, upstream] = await Promise.all([startWorld(), startUpstream('both-eras')])
  onTestFinished(() => upstream.end())
  const { token } = await putBehind(world.ana, 'reference', { url: upstream.url })
  const url = `${world.gatewayUrl}/servers/reference/mcp`
  const queue = [...scenarios]
  const failures: string[] = []
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [revision, scenario] = next
      const { exitCode, scenarios: ran, output } = await runSuite({ url, revision, scenario, token })
      const bad = ran
        .flatMap(({ checks }) => checks)
        .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
      failures.push(...bad.map(({ id, errorMessage }) => `${revision} ${scenario}:${id} ${errorMessage}`))
      if (ran.length !== 1 || exitCode !== 0)
        failures.push(`${revision} ${scenario} ended with ${exitCode}:\n${output}`)
    }
  }
  await Promise.all([lane(), lane()])
  expect(failures).toEqual([])
}, 60_000)
