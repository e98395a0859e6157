import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { checkLedger } from './ledger-check.ts'
import type { Called } from './load.ts'

type Entry = [event: string, exchange: string, more?: { name?: string; intent?: number; outcome?: string }]

/** A ledger file with these entries. @param gapBefore a place that is left out */
function ledgerOf(entries: readonly Entry[], gapBefore?: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-kill-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const database = new DatabaseSync(join(folder, 'ledger.db'))
  database.exec('CREATE TABLE entries (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)')
  const insert = database.prepare('INSERT INTO entries VALUES (?, ?)')
  entries.forEach(([event, exchange, { name, intent, outcome = 'succeeded' } = {}], at) => {
    const seq = at + 1 + (gapBefore !== undefined && at >= gapBefore ? 1 : 0)
    const details = { intent, ...(name === undefined ? {} : { parameters: { arguments: { text: name } } }) }
    insert.run(seq, JSON.stringify({ seq, event, exchange, outcome, details }))
  })
  database.close()
  return folder
}

const intended: Entry = ['call.intended', 'x', { name: 'call-a' }]
const completed: Entry = ['call.completed', 'x', { intent: 1 }]
const answered: Called = { name: 'call-a', sentAt: 0, status: 200, entry: 1, exchange: 'x', isResult: true }

async function problemsOf(folder: string, calls: readonly Called[] = [], arrivals: readonly string[] = []) {
  const check = checkLedger(folder)
  return [...(await check.settle(0)), ...check.compare(calls, arrivals)]
}

test('a ledger that has every call and every end once is without problems', async () => {
  expect(await problemsOf(ledgerOf([intended, completed]), [answered], ['call-a'])).toEqual([])
})

test.each([
  ['a gap', [intended, completed], 1, [], [], /entry 1 is followed by entry 3/],
  ['an intent without an end', [intended], undefined, [], [], /1 intents have no end, the first is entry 1/],
  ['an intent that ended twice', [intended, completed, completed], undefined, [], [], /intent 1 ended twice/],
  [
    'an interrupted call that is said to have succeeded',
    [intended, ['call.interrupted', 'x', { intent: 1 }]],
    undefined,
    [],
    [],
    /end 2 is not unknown/,
  ],
  [
    'an end of another exchange',
    [intended, ['call.completed', 'y', { intent: 1 }]],
    undefined,
    [],
    [],
    /another exchange/,
  ],
  ['an answer without its entry', [], undefined, [answered], [], /call-a was answered and is not in the ledger/],
  ['an answer that names another entry', [intended, completed], undefined, [{ ...answered, entry: 2 }], [], /entry 2/],
  [
    'an arrival without an intent',
    [],
    undefined,
    [],
    ['call-a'],
    /call-a reached the upstream and is not in the ledger/,
  ],
  [
    'a refusal that is not on record',
    [],
    undefined,
    [{ name: 'call-a', sentAt: 0, status: 403 }],
    [],
    /refused with 403 and without an entry/,
  ],
] as [string, Entry[], number | undefined, Called[], string[], RegExp][])(
  'it finds %s',
  async (_what, entries, gapBefore, calls, arrivals, says) => {
    const problems = await problemsOf(ledgerOf(entries, gapBefore), calls, arrivals)
    expect(
      problems.some((problem) => says.test(problem)),
      problems.join('; '),
    ).toBe(true)
  },
)
