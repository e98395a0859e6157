import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Misuse } from '#kernel'
import { expect, test } from 'vitest'
import { load } from '../../../test/world/machine/configuration.ts'
import { describeConfig } from './describe-config.ts'
import { createLiveConfig, type LiveConfig, type ReloadResult } from './live-config.ts'
import type { Config } from './schema.ts'

function live(yaml: string, check?: Parameters<LiveConfig['addCheck']>[0]) {
  const loaded = load({ yaml })
  const config = createLiveConfig(loaded)
  if (check !== undefined) config.addCheck(check)
  const applied: Config[] = []
  config.onChange((next) => void applied.push(next))
  return { config, applied, rewrite: (text: string) => writeFileSync(join(loaded.cwd, 'castellan.yaml'), text) }
}

test('live keys are applied together, the others are named and wait for a restart', async () => {
  const { config, applied, rewrite } = live('limits: { bodyBytes: 2048 }\n')
  rewrite('limits: { bodyBytes: 4096 }\ngateway: { allowedNetworks: [10.0.0.0/8], port: 1 }\ndemo: false\n')
  expect(await config.reload()).toEqual({
    outcome: 'applied',
    changed: ['gateway.allowedNetworks', 'limits.bodyBytes'],
    needRestart: ['gateway.port', 'gateway.publicUrl', 'demo'],
  })
  expect(applied).toEqual([config.current])
  expect(config.current.limits.bodyBytes).toBe(4096)
  expect([config.current.gateway.port, config.current.gateway.publicUrl, config.current.demo]).toEqual([
    8090,
    'http://localhost:8090',
    true,
  ])
  expect(await config.reload()).toEqual({
    outcome: 'unchanged',
    changed: [],
    needRestart: ['gateway.port', 'gateway.publicUrl', 'demo'],
  })
  expect(applied).toHaveLength(1)
})

test.each([
  ['half of the file', 'limits: { bodyBytes: 40', /:1:\d+: /],
  ['an unknown key', 'limits: { bodyBites: 4096 }\n', /:1:11: /],
  ['a wrong value beside a right one', 'limits: { bodyBytes: 4096, drainSeconds: -1 }\n', /:1:42: /],
  ['nothing', '', /is empty/],
  ['a file that lost its end', 'limits: { bodyBytes: 2048 }\n', /has lost its end/],
  ['a last line that has no end', 'limits: { bodyBytes: 4096 }', /ends in the middle of a line/],
])('%s is refused, and what was in force stays', async (_what, text, problem) => {
  const { config, applied, rewrite } = live('limits: { bodyBytes: 2048 }\ngateway: { allowedNetworks: [10.0.0.0/8] }\n')
  rewrite(text)
  const before = config.current
  const result = await config.reload()
  expect(result).toMatchObject({ outcome: 'refused', changed: [], needRestart: [] })
  expect(result.problem).toMatch(problem)
  expect(result.problem).toContain('castellan.yaml')
  expect(result.hint).not.toBe('')
  expect([config.current, applied]).toEqual([before, []])
  rewrite('limits: { bodyBytes: 4096 }\n')
  expect((await config.reload()).outcome).toBe('applied')
})

test('a file that says where it ends may lose its last lines, and all of them', async () => {
  const { config, rewrite } = live('limits: { bodyBytes: 2048 }\ngateway: { allowedNetworks: [10.0.0.0/8] }\n')
  rewrite('limits: { bodyBytes: 2048 }\n...\n')
  expect(await config.reload()).toMatchObject({ outcome: 'applied', changed: ['gateway.allowedNetworks'] })
  rewrite('...\n')
  expect(await config.reload()).toMatchObject({ outcome: 'applied', changed: ['limits.bodyBytes'] })
})

test('a file that is being written is waited for, up to a time', async () => {
  const { config, rewrite } = live('limits: { bodyBytes: 2048 }\n')
  let written = 'limits: '
  rewrite(written)
  const writing = setInterval(() => rewrite((written += ' ')), 30)
  const soon = config.reload()
  setTimeout(() => {
    clearInterval(writing)
    rewrite('limits: { bodyBytes: 4096 }\n')
  }, 300)
  expect(await soon).toMatchObject({ outcome: 'applied', changed: ['limits.bodyBytes'] })
  rewrite(written)
  const endless = setInterval(() => rewrite((written += ' ')), 30)
  const late = await config.reload()
  clearInterval(endless)
  expect(late).toMatchObject({
    outcome: 'refused',
    problem: expect.stringMatching(/is being written|middle of a line/),
  })
  expect(config.current.limits.bodyBytes).toBe(4096)
})

test('what the schema cannot see is tried with the new values before anything is swapped', async () => {
  const tried: (string | undefined)[] = []
  const { config, applied, rewrite } = live('gateway: { tlsCertificate: /a.pem, tlsKey: /a.key }', (next) => {
    tried.push(next.gateway.tlsCertificate)
    if (next.gateway.tlsCertificate === '/b.pem') throw new Misuse('http.tls', 'the key does not fit', 'fit it')
    return []
  })
  rewrite('gateway: { tlsCertificate: /b.pem, tlsKey: /a.key }\nlimits: { openStreams: 3 }')
  expect(await config.reload()).toMatchObject({ outcome: 'refused', problem: 'the key does not fit', hint: 'fit it' })
  expect([config.current.limits.openStreams, applied]).toEqual([1_024, []])
  rewrite('gateway: { tlsCertificate: /c.pem, tlsKey: /a.key }')
  expect(await config.reload()).toMatchObject({ outcome: 'applied', changed: ['gateway.tlsCertificate'] })
  expect(tried).toEqual(['/b.pem', '/c.pem'])
})

test('a file that has another content under the same name counts as a change', async () => {
  const { config, applied } = live('', () => ['gateway.tlsCertificate'])
  expect(await config.reload()).toMatchObject({ outcome: 'applied', changed: ['gateway.tlsCertificate'] })
  expect(applied).toHaveLength(1)
})

test('a listener begins and ceases to speak TLS at a start only', async () => {
  const { config, rewrite } = live('demo: true')
  rewrite('gateway: { tlsCertificate: /a.pem, tlsKey: /a.key }')
  const result = await config.reload()
  expect(result.outcome).toBe('unchanged')
  expect(result.needRestart).toEqual(['gateway.publicUrl', 'gateway.tlsCertificate', 'gateway.tlsKey'])
  expect(config.current.gateway.tlsCertificate).toBeUndefined()
})

test('when one follower cannot take it, all are given back what was in force', async () => {
  const { config, applied, rewrite } = live('limits: { openStreams: 1 }')
  config.onChange((next) => {
    if (next.limits.openStreams === 2) throw new Misuse('http.tls', 'not possible', 'try again')
  })
  rewrite('limits: { openStreams: 2 }')
  const recorded: ReloadResult[] = []
  const result = await config.reload(async (seen) => void recorded.push(seen))
  expect(result).toMatchObject({ outcome: 'refused', problem: 'not possible' })
  expect(applied.map((next) => next.limits.openStreams)).toEqual([2, 1])
  expect(config.current.limits.openStreams).toBe(1)
  expect(recorded.map(({ outcome }) => outcome)).toEqual(['applied', 'refused'])
})

test('what is made of it is swapped with it, or not when it cannot be made', async () => {
  const { config, rewrite } = live('limits: { openStreams: 1 }')
  const doubled = config.derive(({ limits }) => {
    if (limits.openStreams === 3) throw new Misuse('http.network', 'not possible', 'write another')
    return limits.openStreams * 2
  })
  expect(doubled.current).toBe(2)
  rewrite('limits: { openStreams: 2 }')
  await config.reload()
  expect(doubled.current).toBe(4)
  rewrite('limits: { openStreams: 3 }')
  const recorded: string[] = []
  expect(await config.reload(async ({ outcome }) => void recorded.push(outcome))).toMatchObject({ outcome: 'refused' })
  expect([doubled.current, config.current.limits.openStreams, recorded]).toEqual([4, 2, ['refused']])
  config.onChange(({ limits }) => {
    if (limits.openStreams === 4) throw new Error('broken')
  })
  rewrite('limits: { openStreams: 4 }')
  expect(await config.reload()).toMatchObject({ outcome: 'refused', problem: expect.stringContaining('not be put in') })
  expect(doubled.current).toBe(4)
})

test('it is on record before it is in force; without the record nothing is swapped', async () => {
  const { config, applied, rewrite } = live('limits: { openStreams: 1 }')
  rewrite('limits: { openStreams: 2 }')
  await expect(config.reload(() => Promise.reject(new Error('no ledger')))).rejects.toThrow('no ledger')
  expect([config.current.limits.openStreams, applied]).toEqual([1, []])
  const inForce: number[] = []
  await config.reload(async () => void inForce.push(config.current.limits.openStreams))
  expect([inForce, config.current.limits.openStreams]).toEqual([[1], 2])
})

test('reloads that are asked for at once run one after the other', async () => {
  let running = 0
  let most = 0
  const { config, rewrite } = live('limits: { openStreams: 1 }', () => {
    most = Math.max(most, (running += 1))
    return []
  })
  rewrite('limits: { openStreams: 2 }')
  const record = async () => {
    await new Promise((resolve) => setImmediate(resolve))
  }
  const results = await Promise.all(
    Array.from({ length: 20 }, () => config.reload(record).finally(() => void (running -= 1))),
  )
  const outcomes = results.map(({ outcome }) => outcome)
  expect(outcomes).toEqual(['applied', ...Array<string>(19).fill('unchanged')])
  expect(most).toBe(1)
})

test('a changed secret is named by its key only', async () => {
  const first = 'postgres://ana:kettle-orbit-92-marzipan@db/castellan'
  const { config, rewrite } = live('demo: true')
  rewrite(`database: { url: "${first}" }`)
  const result = await config.reload()
  // WHY: a file that everybody can read may not hold a secret, so this reading is refused; it still tells nothing.
  expect(result.outcome).toBe('refused')
  expect(JSON.stringify(result)).not.toContain('kettle')
})

test('each key says whether it is taken over while running', () => {
  const live = describeConfig().flatMap(({ key, isLive }) => (isLive ? [key] : []))
  expect(live.filter((key) => !key.startsWith('limits.'))).toEqual([
    ...['gateway', 'admin'].flatMap((section) =>
      [
        'tlsCertificate',
        'tlsKey',
        'tlsMinVersion',
        'allowedNetworks',
        'trustedProxies',
        'allowedHosts',
        'allowedOrigins',
      ].map((name) => `${section}.${name}`),
    ),
    'identity.sessionHours',
    'identity.sessionIdleMinutes',
    'identity.secondFactor',
    'identity.accessTokenDays',
    'identity.serviceAccountDays',
    'identity.sessionsPerPerson',
    'identity.administratorsNeedPasskey',
    'identity.passkeyDomain',
    'identity.issuers',
    'oauth.accessTokenMinutes',
    'oauth.grantDays',
    'oauth.registration',
    'oauth.registrationsPerHour',
    'oauth.metadataDocuments',
    'oauth.assertionIssuers',
    'oauth.metadataNetworks',
    'upstreams.region',
    'upstreams.healthSeconds',
    'upstreams.breakerFailures',
    'upstreams.breakerOpenSeconds',
    'upstreams.connections',
    'upstreams.waitingCalls',
    'upstreams.eventsPerSecond',
    'policy.timeZone',
    'policy.networks',
    'policy.rejudgedPerMillion',
    'policy.fourEyes',
    'telemetry.logLevel',
  ])
})
