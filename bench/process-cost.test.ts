import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { costOf, readStat, treeOf } from './process-cost.ts'

const line =
  '4242 (node (x) y) S 4000 4242 4242 0 -1 4194304 999 0 0 0 250 50 7 3 20 0 11 0 12345 1000000 2000 18446744073709551615'

test('a line of stat is read, whatever the name of the program', () => {
  expect(readStat(line)).toEqual({ pid: 4242, parent: 4000, cpuSeconds: 3.1 })
})

test('a tree is its root and all that was started from it', () => {
  const at = (pid: number, parent: number) => ({ pid, parent, cpuSeconds: 0 })
  const all = [at(1, 0), at(2, 1), at(3, 2), at(4, 1), at(5, 4), at(6, 3)]
  expect(treeOf(2, all).map(({ pid }) => pid)).toEqual([2, 3, 6])
  expect(treeOf(9, all)).toEqual([])
})

test('the time that a process spends is told within hundredths of a second', async () => {
  const script =
    'const until = process.cpuUsage().user + 300_000; while (process.cpuUsage().user < until); console.log(1)'
  const child = spawn(process.execPath, ['-e', `${script}; setInterval(() => {}, 1000)`])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const { cpuSeconds, residentBytes } = costOf(child.pid ?? 0)
  expect(cpuSeconds).toBeGreaterThanOrEqual(0.29)
  expect(cpuSeconds).toBeLessThan(5)
  expect(residentBytes).toBeGreaterThan(10_000_000)
})
