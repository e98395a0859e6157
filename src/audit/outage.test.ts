import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { temporaryDataFolder } from '../../test/world/folder.ts'
import { noted, obstructLedger, openTestLedger } from '../../test/world/ledger.ts'
import { startProcess } from '../../test/world/machine/start-process.ts'
import { largestQueueBytes, longestQueue } from './group-commit.ts'
import type { Ledger } from './ledger.ts'
import { verifyLedger } from './verify/verify.ts'

const unavailable = { name: 'Fault', code: 'audit.ledger-unavailable' }
const append = (ledger: Ledger, n = 0) => ledger.append(noted, { outcome: 'succeeded', details: { n } })

async function refusals(appends: readonly Promise<unknown>[]): Promise<number> {
  const ends = await Promise.allSettled(appends)
  return ends.filter(({ status }) => status === 'rejected').length
}

test('a commit that fails takes its whole batch with it and nothing of it stays', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  const obstacle = obstructLedger(dataFolder)
  const batch = Array.from({ length: 50 }, (_, n) => append(ledger, n))
  await expect(batch[0]).rejects.toMatchObject(unavailable)
  expect(await refusals(batch)).toBe(50)
  expect(ledger.state()).toMatchObject({ isWritable: false, size: 1, reason: expect.stringContaining('locked') })
  const before = performance.now()
  await expect(append(ledger)).rejects.toMatchObject(unavailable)
  expect(performance.now() - before).toBeLessThan(50)
  expect((await ledger.read({})).map(({ seq }) => seq)).toEqual([1])
  expect(await verifyLedger({ folder: dataFolder.path })).toMatchObject({ holds: true, size: 1 })
  obstacle.release()
})

test('the ledger opens again by itself and first records how many entries it turned away', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  const obstacle = obstructLedger(dataFolder)
  expect(await refusals([1, 2, 3].map((n) => append(ledger, n)))).toBe(3)
  await sleep(900)
  expect(await refusals([append(ledger), append(ledger)])).toBe(2)
  obstacle.release()
  await expect.poll(() => ledger.state().isWritable, { timeout: 5000 }).toBe(true)
  expect(await append(ledger)).toMatchObject({ seq: 3 })
  const [, recovered] = await ledger.read({})
  expect(recovered).toMatchObject({ event: 'ledger.recovered', details: { refused: 5, reason: expect.any(String) } })
  expect(ledger.state()).toEqual({ isWritable: true, size: 3 })
  expect(await verifyLedger({ folder: dataFolder.path })).toMatchObject({ holds: true, size: 3 })
})

test('appends without a pause through an outage are each acknowledged and kept, or refused and counted', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  const kept: number[] = []
  let refused = 0
  let isOver = false
  const writers = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      await append(ledger).then(
        ({ seq }) => kept.push(seq),
        () => (refused += 1),
      )
      await sleep(1)
    }
  })
  for (let round = 0; round < 2; round++) {
    await sleep(100)
    const obstacle = obstructLedger(dataFolder)
    await expect.poll(() => ledger.state().isWritable, { timeout: 5000 }).toBe(false)
    await sleep(300)
    obstacle.release()
    await expect.poll(() => ledger.state().isWritable, { timeout: 5000 }).toBe(true)
  }
  isOver = true
  await Promise.all(writers)
  const recovered = await ledger.read({ event: 'ledger.recovered' })
  expect(recovered).toHaveLength(2)
  expect(recovered.reduce((sum, { details }) => sum + Number(details?.['refused']), 0)).toBe(refused)
  expect(ledger.state().size).toBe(1 + kept.length + recovered.length)
  expect(await verifyLedger({ folder: dataFolder.path })).toMatchObject({ holds: true, size: ledger.state().size })
})

test('a ledger that cannot be written at the start is not opened', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  await ledger.close()
  const obstacle = obstructLedger(dataFolder)
  await expect(openTestLedger(dataFolder)).rejects.toMatchObject(unavailable)
  obstacle.release()
  await openTestLedger(dataFolder)
})

test('closing during an outage ends at once', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  obstructLedger(dataFolder)
  await refusals([append(ledger)])
  await ledger.close()
  expect(await verifyLedger({ folder: dataFolder.path })).toMatchObject({ holds: true, size: 1 })
})

test(`${longestQueue} entries may wait for the disk, one more is turned away`, async () => {
  const { ledger } = await openTestLedger()
  const waiting = Array.from({ length: longestQueue }, (_, n) => append(ledger, n))
  await expect(append(ledger)).rejects.toMatchObject(unavailable)
  expect(await refusals(waiting)).toBe(0)
  expect(ledger.state()).toEqual({ isWritable: true, size: longestQueue + 1 })
})

test('large entries wait for the disk up to a bound in text, the next one is turned away', async () => {
  const { ledger } = await openTestLedger()
  const texts = Array.from({ length: 15 }, () => 'word '.repeat(800))
  const large = () => ledger.append(noted, { outcome: 'succeeded', details: { texts } })
  const charsEach = JSON.stringify({ texts }).length
  const fitting = Math.floor(largestQueueBytes / (charsEach + 300))
  const waiting = refusals(Array.from({ length: fitting }, large))
  const beyond = refusals(Array.from({ length: 20 }, large))
  expect(await waiting).toBe(0)
  expect(await beyond).toBeGreaterThan(0)
  expect(ledger.state().isWritable).toBe(true)
}, 60_000)

test('a full disk refuses entries, keeps what was acknowledged, and is noticed when it has room again', async () => {
  const dataFolder = temporaryDataFolder()
  const { child, lines, ended } = startProcess('ledger-writer', [dataFolder.path, '300'])
  const count = (word: string) => lines.filter((line) => line.startsWith(word)).length
  await expect.poll(() => count('refused'), { timeout: 20_000 }).toBeGreaterThan(3)
  const keptBefore = count('kept')
  expect(keptBefore).toBeGreaterThan(0)
  spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
  await expect.poll(() => count('kept'), { timeout: 10_000 }).toBeGreaterThan(keptBefore + 10)
  child.kill('SIGKILL')
  await ended
  const { ledger } = await openTestLedger(dataFolder)
  const last = Number(lines.findLast((line) => line.startsWith('kept'))?.split(' ')[1])
  expect(ledger.state().size).toBeGreaterThan(last)
  expect(await ledger.read({ event: 'ledger.recovered' })).toHaveLength(1)
  expect(await verifyLedger({ folder: dataFolder.path })).toMatchObject({ holds: true })
})
