import { expect, test } from 'vitest'
import { closingLine } from './count-tests.ts'

test('the closing line counts what the runner reports', () => {
  const report = { numPassedTests: 12, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: true }
  expect(closingLine(report)).toBe('12 passed, 0 failed')
  expect(closingLine({ ...report, numFailedTests: 2, numPendingTests: 1, numTodoTests: 3 })).toBe(
    '12 passed, 2 failed, 4 skipped',
  )
})
