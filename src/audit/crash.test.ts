import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { temporaryDataFolder } from '../../test/world/folder.ts'
import { openTestLedger } from '../../test/world/ledger.ts'
import { startProcess } from '../../test/world/machine/start-process.ts'
import type { Entry } from './entry.ts'
import type { Ledger } from './ledger.ts'
import { verifyLedger } from './verify.ts'

async function readAll(ledger: Ledger): Promise<Entry[]> {
  const entries: Entry[] = []
  for (;;) {
    const page = await ledger.read({ after: entries.length, limit: 1000 })
    entries.push(...page)
    if (page.length === 0) return entries
  }
}

test('a writer killed again and again loses no acknowledged entry, leaves no gap and blocks no successor', async () => {
  const dataFolder = temporaryDataFolder()
  const acknowledged = new Map<number, string>()
  for (let round = 0; round < 6; round++) {
    const { child, lines, ended } = startProcess('ledger-writer', [dataFolder.path])
    await expect.poll(() => lines.length, { timeout: 15_000, interval: 2 }).toBeGreaterThan(1)
    await sleep(7 * round + 3)
    child.kill('SIGKILL')
    await ended
    for (const [word, seq, id = ''] of lines.map((line) => line.split(' '))) {
      expect(word).not.toBe('refused')
      if (word === 'kept') acknowledged.set(Number(seq), id)
    }
    expect(await verifyLedger({ folder: dataFolder.path })).toMatchObject({ holds: true, problems: [] })
  }
  const { ledger } = await openTestLedger(dataFolder)
  const entries = await readAll(ledger)
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1))
  expect(acknowledged.size).toBeGreaterThan(6)
  for (const [seq, id] of acknowledged) expect(entries[seq - 1]).toMatchObject({ seq, id })
  const openings = entries.filter(({ event }) => event === 'ledger.opened').map(({ details }) => details?.['after'])
  expect(openings).toEqual(['nothing', ...Array<string>(6).fill('crash')])
}, 120_000)

test('verifying beside a busy writer never raises a false alarm, and sees it grow', async () => {
  const dataFolder = temporaryDataFolder()
  const { lines } = startProcess('ledger-writer', [dataFolder.path])
  await expect.poll(() => lines.length, { timeout: 15_000 }).toBeGreaterThan(1)
  const sizes = new Set<number>()
  for (let round = 0; round < 10; round++) {
    const verdict = await verifyLedger({ folder: dataFolder.path })
    expect(verdict.problems).toEqual([])
    sizes.add(verdict.size)
    await sleep(5)
  }
  expect(sizes.size).toBeGreaterThan(2)
}, 60_000)
