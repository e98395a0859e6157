import { expect, test } from 'vitest'
import { createCells, must, mustRefuse, sumUp } from './cells.ts'
import { isPassed } from './suite.ts'

test('a step that fails is wrong, and so is a client that did nothing', async () => {
  const lines: string[] = []
  const cells = createCells((line) => void lines.push(line))
  expect(await cells.step('one', 'works', async () => 5)).toBe(5)
  expect(sumUp(cells.all, ['one'])).toEqual({ holds: true, cells: 1, wrong: 0, missing: [] })
  expect(sumUp(cells.all, ['one', 'two'])).toMatchObject({ holds: false, missing: ['two'] })
  expect(sumUp([], [])).toMatchObject({ holds: false })
  expect(await cells.step('one', 'breaks', async () => must(false, 'not so'))).toBeUndefined()
  expect(sumUp(cells.all, ['one'])).toMatchObject({ holds: false, wrong: 1 })
  expect(lines.map((line) => line.slice(0, 5))).toEqual(['ok   ', 'WRONG'])
})

test('a refusal counts only with the right error', async () => {
  const refused = (error: string) => Promise.reject(Object.assign(new Error('x'), { error }))
  await mustRefuse('invalid_grant', refused('invalid_grant'))
  await expect(mustRefuse('invalid_grant', refused('invalid_client'))).rejects.toThrow('invalid_client')
  await expect(mustRefuse('invalid_grant', Promise.resolve({ access_token: 'x' }))).rejects.toThrow('it was given')
  const challenged = Object.assign(new Error('x'), { cause: [{ parameters: { error: 'invalid_client' } }] })
  await mustRefuse('invalid_client', Promise.reject(challenged))
})

test('a scenario passed when the summary says so, of at least one check', () => {
  const summary = (line: string) => `✓ a: 9 passed, 0 failed\n=== SUMMARY ===\n${line}\n\nTotal: 1 passed`
  expect(isPassed(summary('✓ a: 2 passed, 0 failed'), 'a')).toBe(true)
  const others = ['✓ a: 0 passed, 0 failed', '✗ a: 1 passed, 1 failed', '✓ ab: 1 passed, 0 failed', '']
  for (const line of others) expect(isPassed(summary(line), 'a')).toBe(false)
})
