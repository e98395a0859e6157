import { expect, test } from 'vitest'
import { createHealth } from './health.ts'

test('ready is what has started, is not draining, and whose checks hold', async () => {
  const health = createHealth()
  let holds = true
  health.addCheck('ledger', () => holds)
  expect(await health.ready()).toEqual({ isReady: false, checks: { started: false, taking: true, ledger: true } })
  health.setStarted()
  expect((await health.ready()).isReady).toBe(true)
  holds = false
  expect(await health.ready()).toEqual({ isReady: false, checks: { started: true, taking: true, ledger: false } })
  holds = true
  expect((await health.ready()).isReady).toBe(true)
  health.setDraining()
  expect(await health.ready()).toEqual({ isReady: false, checks: { started: true, taking: false, ledger: true } })
  health.setStarted()
  expect(health.phase()).toBe('draining')
})

test('a check that throws, or does not answer, does not hold', async () => {
  const health = createHealth()
  health.setStarted()
  health.addCheck('thrown', () => {
    throw new Error('broken')
  })
  health.addCheck('rejected', () => Promise.reject(new Error('broken')))
  health.addCheck('silent', () => new Promise(() => undefined))
  const before = performance.now()
  expect(await health.ready()).toMatchObject({
    isReady: false,
    checks: { thrown: false, rejected: false, silent: false },
  })
  expect(performance.now() - before).toBeLessThan(1_000)
})

test('who asks while an answer is awaited shares it', async () => {
  const health = createHealth()
  health.setStarted()
  let asked = 0
  health.addCheck('database', async () => {
    asked += 1
    return true
  })
  await Promise.all(Array.from({ length: 100 }, () => health.ready()))
  expect(asked).toBe(1)
  await health.ready()
  expect(asked).toBe(2)
})
