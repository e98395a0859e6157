import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { createGate } from './gate.ts'

test('as many run as there are places, as many wait as the queue holds, the next one is turned away', async () => {
  const gate = createGate({ maxActive: 2, maxWaiting: 3 })
  let running = 0
  let most = 0
  const doors: (() => void)[] = []
  const work = async () => {
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => doors.push(resolve))
    running--
    return 'done'
  }
  const answers = Array.from({ length: 6 }, () => gate.run(work))
  const last = await answers[5]
  expect(isRefusal(last) && [last.code, last.status, last.retryAfterSeconds]).toEqual(['identity.busy', 503, 1])
  for (let opened = 0; opened < 5; opened++) {
    await new Promise(setImmediate)
    doors.shift()?.()
  }
  expect(await Promise.all(answers.slice(0, 5))).toEqual(Array(5).fill('done'))
  expect(most).toBe(2)
})

test('work that fails gives its place back', async () => {
  const gate = createGate({ maxActive: 1, maxWaiting: 0 })
  await expect(gate.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await gate.run(async () => 'done')).toBe('done')
})
