import { expect, test, vi } from 'vitest'
import { proof } from '../proofs/replay.ts'

test('a short run of the proof holds, and changes something', { timeout: 60_000 }, async () => {
  const quiet = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const outcome = await proof.run(['--calls', '400', '--seed', '3', '--share', '1'])
  quiet.mockRestore()
  expect(outcome).toMatchObject({ holds: true, differences: 0, wrongThen: 0 })
  for (const figure of ['loosened', 'tightened', 'untold', 'unchanged']) expect(outcome[figure]).toBeGreaterThan(0)
})
