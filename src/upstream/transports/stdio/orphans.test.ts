import { existsSync, readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { temporaryFolder } from '../../../../test/world/folder.ts'
import { startProcess } from '../../../../test/world/machine/start-process.ts'

function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

test.each(['SIGKILL', 'SIGTERM'] as const)('%s of the gateway leaves no child and no grandchild', async (signal) => {
  const parent = startProcess('stdio-parent', [temporaryFolder()])
  await vi.waitFor(() => expect(parent.lines).toHaveLength(1), { timeout: 15_000, interval: 50 })
  const pids = String(parent.lines[0]).split(' ').map(Number)
  expect(pids.map(isAlive)).toEqual([true, true])
  parent.child.kill(signal)
  await parent.ended
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 10_000, interval: 50 })
})
