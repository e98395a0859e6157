import { expect, onTestFinished, test } from 'vitest'
import { startWorld } from '../world/castellan.ts'
import { putBehind } from '../world/servers/peers.ts'
import { runClientScenario } from './client-suite.ts'
import { type Revision, runSuite } from './suite.ts'
import { modernOnlyStdioCommand, startUpstream } from './upstreams.ts'

type Scenario = readonly [Revision, string]

const straight: readonly Scenario[] = [
  ['2025-11-25', 'server-session-lifecycle'],
  ['2025-11-25', 'server-sse-polling'],
  ['2025-11-25', 'tools-call-elicitation'],
  ['2026-07-28', 'server-stateless'],
  ['2026-07-28', 'http-custom-header-server-validation'],
]

const legacyBySessions: readonly Scenario[] = [
  ['2025-11-25', 'server-session-lifecycle'],
  ['2025-11-25', 'tools-call-elicitation'],
  ['2025-11-25', 'tools-call-with-logging'],
  ['2025-11-25', 'resources-subscribe'],
]

async function startServer(name: 'both-eras' | 'modern-only'): Promise<{ url: string }> {
  const upstream = await startUpstream(name)
  onTestFinished(() => upstream.end())
  return { url: upstream.url }
}

// WHY: these are some of them; the proof `conformance` runs all.
test.each([
  ['a server of both eras', straight, () => startServer('both-eras')],
  ['a server of 2026-07-28', legacyBySessions, () => startServer('modern-only')],
  ['a process of 2026-07-28', legacyBySessions, async () => ({ command: modernOnlyStdioCommand })],
] as const)(
  'scenarios of the official suite pass through the gateway to %s',
  async (_, scenarios, start) => {
    const [world, upstream] = await Promise.all([startWorld(), start()])
    const { token } = await putBehind(world.ana, 'reference', upstream)
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
  },
  60_000,
)

test('a server with sessions alone passes scenarios of 2026-07-28 through the gateway', async () => {
  const [world, upstream] = await Promise.all([startWorld(), startUpstream('legacy-only')])
  onTestFinished(() => upstream.end())
  const { token } = await putBehind(world.ana, 'old', { url: upstream.url })
  const url = `${world.gatewayUrl}/servers/old/mcp`
  const failures: string[] = []
  for (const scenario of ['caching', 'input-required-result-multi-round', 'input-required-result-tampered-state']) {
    const { exitCode, output } = await runSuite({ url, revision: '2026-07-28', scenario, token })
    if (exitCode !== 0) failures.push(`${scenario}: ${output}`)
  }
  expect(failures).toEqual([])
}, 60_000)

test.each([
  ['2026-07-28', 'http-custom-headers', 'legacy'],
  ['2025-11-25', 'elicitation-sep1034-client-defaults', 'modern'],
] as const)(
  'Castellan passes as the client of a server of %s: %s, for a %s client',
  async (revision, scenario, clientEra) => {
    const { checks, output } = await runClientScenario({ revision, scenario, clientEra })
    const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
    expect(bad, output).toEqual([])
    expect(checks.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(3)
  },
  60_000,
)
