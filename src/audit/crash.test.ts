import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { temporaryDataFolder } from '../../test/world/folder.ts'
import { noted, openTestLedger } from '../../test/world/ledger.ts'
import { startProcess } from '../../test/world/machine/start-process.ts'
import type { Entry } from './entry.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { verifyLedger } from './verify/verify.ts'

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

const clock = { now: () => Date.UTC(2026, 0, 5, 9) }

test('the entry of an opening says how the writer before ended: what was cut, and what nobody was told of', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  await ledger.append(noted, { outcome: 'succeeded' })
  const headBefore = readFileSync(join(dataFolder.path, 'ledger.head'))
  await Promise.all([3, 4, 5].map((n) => ledger.append(noted, { outcome: 'succeeded', details: { n } })))
  const left = [
    { isToldOf: true, lostBytes: 0, after: { after: 'crash' }, size: 5 },
    { isToldOf: false, lostBytes: 0, after: { after: 'crash', unanswered: 3 }, size: 5 },
    { isToldOf: false, lostBytes: 100, after: { after: 'crash', cutBytes: expect.any(Number) }, size: 2 },
  ]
  for (const { isToldOf, lostBytes, after, size } of left) {
    const folder = temporaryDataFolder()
    cpSync(dataFolder.path, folder.path, { recursive: true })
    rmSync(join(folder.path, 'ledger.db-shm'))
    const log = join(folder.path, 'ledger.db-wal')
    truncateSync(log, readFileSync(log).length - lostBytes)
    if (!isToldOf) writeFileSync(join(folder.path, 'ledger.head'), headBefore)
    const next = await openTestLedger(folder)
    expect(next.ledger.state().size).toBe(size + 1)
    const [opening] = await next.ledger.read({ event: 'ledger.opened', limit: 1 })
    expect(opening).toMatchObject({ seq: size + 1 })
    expect(opening?.details).toEqual(after)
    await next.ledger.close()
    expect(await verifyLedger({ folder: folder.path })).toMatchObject({ holds: true, size: size + 2 })
  }
})

test('the file of another version is refused with a sentence that says so, and stays as it is', async () => {
  const dataFolder = temporaryDataFolder()
  const path = join(dataFolder.path, 'ledger.db')
  const other = new DatabaseSync(path)
  other.exec("CREATE TABLE entries (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, event TEXT AS (body ->> '$.event'))")
  const open = () => createLedger({ dataFolder, origin: 'castellan', clock })
  const isRefused = async (form: number) => {
    const before = readFileSync(path)
    await expect(open()).rejects.toMatchObject({
      name: 'Misuse',
      code: 'audit.ledger-other-form',
      message: `\`ledger.db\` has form ${form}; this version of castellan knows form 3 only`,
    })
    expect(readFileSync(path).equals(before)).toBe(true)
    const { problems } = await verifyLedger({ folder: dataFolder.path })
    const named = { kind: 'unreadable', says: expect.stringContaining(`has form ${form}`) }
    expect(problems).toContainEqual(expect.objectContaining(named))
  }
  await isRefused(1)
  other.exec('PRAGMA user_version = 4')
  other.close()
  await isRefused(4)
})
