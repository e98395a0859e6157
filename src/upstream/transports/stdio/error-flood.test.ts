import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#kernel'
import { temporaryFolder } from '../../../../test/world/folder.ts'
import { UpstreamCaller } from '../../../../test/world/servers/upstream-caller.ts'
import { defaultLimits, type UpstreamRecord } from '../transport.ts'
import { createStdio } from './stdio.ts'

const mebibyte = 1024 * 1024

/** Says its name without end on its error output, by a process of its own, and answers all the same. */
const program = `
const { pid } = require('node:child_process').spawn('yes', ['a line of trouble'], { stdio: ['ignore', 2, 2] })
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const m = JSON.parse(line)
  if (m.id) console.log(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: { pid } }))
})`

const flood: UpstreamRecord = {
  name: 'flood',
  transport: 'stdio',
  command: [process.execPath, '-e', program],
  environment: {},
  isDemo: false,
}

/** Bytes that a process has written. */
function written(pid: number): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  // WHY: a zombie has ended; only its parent has not looked yet.
  return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

test('so much of an error output is read in a second, and its process ends like any other', async () => {
  const transport = createStdio({
    clock: systemClock,
    limits: defaultLimits,
    settings: { current: { eventsPerSecond: 1_000 } },
    workFolder: temporaryFolder(),
    onNews: () => undefined,
  })
  onTestFinished(() => transport.close())
  const ada = new UpstreamCaller({ exchange: (request) => transport.exchange(request), upstream: flood })
  const pid = Number((await ada.open()).result?.['pid'])
  const before = written(pid)
  const startedAt = performance.now()
  await sleep(1_000)
  const perSecond = (written(pid) - before) / ((performance.now() - startedAt) / 1_000)
  expect(perSecond).toBeLessThan(16 * mebibyte)
  expect((await ada.ask('x')).status).toBe(200)
  expect((await ada.end()).status).toBe(204)
  await expect.poll(() => isAlive(pid)).toBe(false)
})
