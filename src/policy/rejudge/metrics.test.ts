import { expect, test } from 'vitest'
import { createTelemetry } from '#platform/telemetry'
import { countRejudged } from './metrics.ts'

test('judgements are counted by outcome, and distrust is told at each reading', async () => {
  const telemetry = await createTelemetry({
    settings: { logLevel: 'error', logFormat: 'json', traceSampling: 0 },
    version: '0',
    redact: (value) => value,
    logTo: () => undefined,
  })
  let isDistrusted = false
  const count = countRejudged(telemetry.meter, () => isDistrusted)
  const lines = async () =>
    (await telemetry.prometheus()).split('\n').filter((line) => line.startsWith('castellan_policy'))
  expect(await lines()).toEqual(['castellan_policy_distrusted 0'])
  count('agreed')
  count('agreed')
  count('disagreed')
  isDistrusted = true
  expect(await lines()).toEqual([
    'castellan_policy_distrusted 1',
    'castellan_policy_rejudged_total{outcome="agreed"} 2',
    'castellan_policy_rejudged_total{outcome="disagreed"} 1',
  ])
  await telemetry.close()
})
