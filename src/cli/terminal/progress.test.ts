import { expect, test } from 'vitest'
import { createTestTerminal } from '../../../test/world/terminal.ts'
import { createOutput } from './output.ts'
import { createProgress, progressText } from './progress.ts'

const labels = { verb: 'Verifying', unit: 'entries' }

test('progress says how far it is, how fast, and how long it still takes', () => {
  expect(progressText(labels, { done: 6_100_000, total: 10_000_000, elapsedMs: 7_512 })).toBe(
    'Verifying  ############--------  61%  6.1M/10.0M entries  812k/s  0:05 left',
  )
})

test('no time is promised from less than three seconds', () => {
  expect(progressText(labels, { done: 50, total: 100, elapsedMs: 2_999 })).not.toContain('left')
  expect(progressText(labels, { done: 50, total: 100, elapsedMs: 3_000 })).toContain('0:03 left')
})

test('nothing to do is done', () => {
  expect(progressText(labels, { done: 0, total: 0, elapsedMs: 0 })).toContain('100%')
})

test.each([
  [{ isTTY: true }, true],
  [{}, false],
])('short work is silent, and long work is shown on a terminal only: %j', (options, isShown) => {
  const terminal = createTestTerminal(options)
  let nowMs = 0
  const progress = createProgress(
    createOutput(terminal, { isJson: false, isQuiet: false }),
    { now: () => nowMs },
    labels,
  )
  progress.update({ done: 1, total: 100 })
  expect(terminal.err()).toBe('')
  nowMs = 600
  progress.update({ done: 50, total: 100 })
  progress.end()
  expect(terminal.err().includes('50%')).toBe(isShown)
})
