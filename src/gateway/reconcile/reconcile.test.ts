import type { EntryFields, Ledger } from '#audit'
import { Fault } from '#kernel'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDataFolder } from '../../../test/world/folder.ts'
import { noted, obstructLedger, openTestLedger } from '../../../test/world/ledger.ts'
import {
  callCompleted,
  callCut,
  callIntended,
  callInterrupted,
  callsReconciled,
  definitionsChecked,
} from '../events.ts'
import { mostKeptEnds } from './call-ledger.ts'
import { mostNamed } from './mark.ts'
import { Reconciler } from './reconcile.ts'

const ana = { id: 'p-1', name: 'ana' }
const clock = { now: () => Date.UTC(2026, 0, 5, 9) }

function fieldsOf(exchange: string): EntryFields {
  const target = { upstream: 'books', kind: 'tool', name: 'echo' } as const
  const details = { method: 'tools/call' }
  return { exchange, principal: ana, address: '127.0.0.1', target, outcome: 'intended', details }
}

const endOf = (intent: number): EntryFields => ({ exchange: `x-${intent}`, outcome: 'succeeded', details: { intent } })

async function intend(ledger: Pick<Ledger, 'append'>, count: number): Promise<number[]> {
  const receipts = await Promise.all(
    Array.from({ length: count }, (_, n) => ledger.append(callIntended, fieldsOf(`x-${n}`))),
  )
  return receipts.map(({ seq }) => seq)
}

function reconcile(ledger: Ledger, markEvery = 5000): Reconciler & { readonly warnings: unknown[] } {
  const warnings: unknown[] = []
  const log = { warn: (...said: unknown[]) => void warnings.push(said) }
  const reconciler = new Reconciler({ ledger, clock, log, markEvery })
  onTestFinished(() => reconciler.close())
  return Object.assign(reconciler, { warnings })
}

async function interruptedIn(ledger: Ledger): Promise<unknown[]> {
  return (await ledger.read({ event: callInterrupted.name, limit: 1000 })).map(({ details }) => details?.['intent'])
}

/** The ledger, with each stretch that is looked at noted. */
function withStretches(ledger: Ledger): Ledger & { readonly stretches: number[][] } {
  const stretches: number[][] = []
  const intents: Ledger['intents'] = (stretch) => {
    stretches.push([stretch.after, stretch.upTo])
    return ledger.intents(stretch)
  }
  return { ...ledger, intents, stretches }
}

test('calls of the process before that have no end are closed as unknown, once, with who and what they were', async () => {
  const { ledger } = await openTestLedger()
  const [one = 0, two = 0, three = 0, four = 0] = await intend(ledger, 4)
  await ledger.append(definitionsChecked, { outcome: 'intended' })
  await ledger.append(callCompleted, endOf(one))
  await ledger.append(callCut, { ...endOf(three), outcome: 'refused' })
  const first = reconcile(ledger)
  await first.begin()
  expect(await interruptedIn(ledger)).toEqual([two, four])
  const [closed] = await ledger.read({ event: callInterrupted.name, limit: 1 })
  expect(closed).toMatchObject({
    ...fieldsOf('x-3'),
    outcome: 'unknown',
    details: { intent: four, cause: 'process-ended', method: 'tools/call' },
  })
  expect(first.warnings).toEqual([[expect.any(String), expect.any(String), { calls: 2, cause: 'process-ended' }]])
  first.close()
  const { size } = ledger.state()
  const second = reconcile(ledger)
  await second.begin()
  const [live = 0] = await intend(second.calls, 1)
  await second.calls.appendSoon(callCompleted, endOf(live))
  expect(await interruptedIn(ledger)).toEqual([two, four])
  expect(ledger.state().size).toBe(size + 2)
  expect(second.warnings).toEqual([])
})

test('interrupted while it closes them, it closes each once in the end', async () => {
  const { ledger } = await openTestLedger()
  const open = await intend(ledger, 130)
  for (const most of [1, 60]) {
    let left = most
    const appendSoon: Ledger['appendSoon'] = (event, fields) =>
      (left -= 1) < 0 ? new Promise<never>(() => undefined) : ledger.appendSoon(event, fields)
    const killed = reconcile({ ...ledger, appendSoon })
    const { size } = ledger.state()
    void killed.begin()
    await expect.poll(() => ledger.state().size).toBe(size + most)
    killed.close()
  }
  await reconcile(ledger).begin()
  expect(await interruptedIn(ledger)).toHaveLength(open.length)
  expect(new Set(await interruptedIn(ledger))).toEqual(new Set(open))
})

test('a start looks no further back than the last mark, and at the calls that the mark names', async () => {
  const { ledger } = await openTestLedger()
  const life = reconcile(ledger, 100)
  await life.begin()
  const [held = 0] = await intend(life.calls, 1)
  for (let round = 0; round < 4; round++)
    await Promise.all((await intend(life.calls, 75)).map((intent) => life.calls.append(callCompleted, endOf(intent))))
  await expect.poll(() => ledger.read({ event: callsReconciled.name })).toHaveLength(3)
  const [mark] = await ledger.read({ event: callsReconciled.name, limit: 1 })
  expect(mark?.details?.['open']).toContainEqual(expect.arrayContaining([held]))
  const last = await intend(life.calls, 2)
  life.close()

  const watched = withStretches(ledger)
  await reconcile(watched, 100).begin()
  expect(await interruptedIn(ledger)).toEqual([held, ...last])
  expect(watched.stretches).toEqual([[mark?.details?.['upTo'], last[1]]])
})

test('a start that found much to look at leaves a mark of its own', async () => {
  const { ledger } = await openTestLedger()
  for (let round = 0; round < 5; round++)
    await Promise.all(Array.from({ length: 500 }, () => ledger.append(noted, { outcome: 'succeeded' })))
  const { size } = ledger.state()
  const first = withStretches(ledger)
  await reconcile(first, 2500).begin()
  expect(ledger.state().size).toBe(size + 1)
  expect(first.stretches).toEqual([
    [0, 1000],
    [1000, 2000],
    [2000, size],
  ])
  const next = withStretches(ledger)
  await reconcile(next, 2500).begin()
  expect(next.stretches).toEqual([[size, size + 1]])
})

test(`with more than ${mostNamed} calls under way a mark stays before the first that it cannot name`, async () => {
  const { ledger } = await openTestLedger()
  const life = reconcile(ledger, mostNamed + 5)
  await life.begin()
  const open = [...(await intend(life.calls, mostNamed)), ...(await intend(life.calls, 5))]
  await expect.poll(() => ledger.read({ event: callsReconciled.name })).toHaveLength(1)
  const [mark] = await ledger.read({ event: callsReconciled.name })
  expect(mark?.details?.['upTo']).toBe((open[mostNamed] ?? 0) - 1)
  const named = mark?.details?.['open'] as number[][] | undefined
  expect(named?.flat()).toEqual(open.slice(0, mostNamed))
})

test('ends that the ledger refused are recorded when it can be written again, and say when they were', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  const life = reconcile(ledger)
  await life.begin()
  const [one = 0, two = 0] = await intend(life.calls, 2)
  const obstacle = obstructLedger(dataFolder)
  await expect(life.calls.append(callIntended, fieldsOf('never'))).rejects.toMatchObject({ name: 'Fault' })
  await expect(life.calls.appendSoon(callCompleted, endOf(one))).rejects.toMatchObject({ name: 'Fault' })
  await expect(life.calls.append(callCut, endOf(two))).rejects.toMatchObject({ name: 'Fault' })
  expect([...life.calls.open]).toEqual([one, two])
  obstacle.release()
  await expect.poll(() => life.calls.lost.size, { timeout: 5000 }).toBe(0)
  expect(life.calls.open.size).toBe(0)
  const ends = (await ledger.read({ limit: 1000 })).filter(({ details }) => typeof details?.['intent'] === 'number')
  expect(ends).toMatchObject([
    { event: 'call.completed', outcome: 'succeeded', details: { intent: one, endedAt: '2026-01-05T09:00:00.000Z' } },
    { event: 'call.cut', details: { intent: two } },
  ])
  expect(await interruptedIn(ledger)).toEqual([])
})

/** A ledger whose next entry is refused and kept all the same: a flush that failed after the bytes were there. */
function withDoubt(ledger: Ledger): Ledger & { doubt: boolean } {
  const doubting = { ...ledger, doubt: false }
  let told: number | undefined
  doubting.state = () => ({ ...ledger.state(), size: told ?? ledger.state().size })
  const append: Ledger['append'] = async (event, fields) => {
    const receipt = await ledger.append(event, fields)
    if (!doubting.doubt) return receipt
    doubting.doubt = false
    told = receipt.seq - 1
    setTimeout(() => (told = undefined), 50)
    throw new Fault('audit.ledger-unavailable', 'the disk does not answer')
  }
  return Object.assign(doubting, { append, appendSoon: append })
}

test('an intent that was refused and is on disk all the same is closed; the calls under way beside it are not', async () => {
  const { ledger } = await openTestLedger()
  const doubting = withDoubt(ledger)
  const life = reconcile(doubting)
  await life.begin()
  const [live = 0] = await intend(life.calls, 1)
  doubting.doubt = true
  await expect(intend(life.calls, 1)).rejects.toMatchObject({ name: 'Fault' })
  await intend(life.calls, 1)
  await expect.poll(() => interruptedIn(ledger), { timeout: 5000 }).toEqual([live + 1])
  const [closed] = await ledger.read({ event: callInterrupted.name })
  expect(closed?.details).toMatchObject({ cause: 'ledger-unavailable' })
  expect([...life.calls.open]).toEqual([live, live + 2])
})

test('an end that was refused and is on disk all the same is not recorded a second time', async () => {
  const { ledger } = await openTestLedger()
  const doubting = withDoubt(ledger)
  const life = reconcile(doubting)
  await life.begin()
  const [intent = 0] = await intend(life.calls, 1)
  doubting.doubt = true
  await expect(life.calls.appendSoon(callCompleted, endOf(intent))).rejects.toMatchObject({ name: 'Fault' })
  expect(life.calls.lost.size).toBe(1)
  await expect.poll(() => life.calls.lost.size, { timeout: 5000 }).toBe(0)
  expect(await ledger.read({ event: callCompleted.name })).toHaveLength(1)
  expect(await interruptedIn(ledger)).toEqual([])
})

test(`${mostKeptEnds} refused ends are kept whole; of one more it is said that nobody knows it`, async () => {
  const { ledger, dataFolder } = await openTestLedger()
  const life = reconcile(ledger)
  await life.begin()
  const intents = await intend(life.calls, mostKeptEnds + 1)
  const obstacle = obstructLedger(dataFolder)
  const ends = intents.map((intent) => life.calls.appendSoon(callCompleted, endOf(intent)))
  expect(new Set((await Promise.allSettled(ends)).map(({ status }) => status))).toEqual(new Set(['rejected']))
  obstacle.release()
  await expect.poll(() => life.calls.lost.size, { timeout: 20_000 }).toBe(0)
  expect(await interruptedIn(ledger)).toEqual([intents.at(-1)])
  const found = await ledger.intents({ event: callIntended.name, after: 0, upTo: ledger.state().size })
  expect(found).toEqual({ open: [], ended: [] })
}, 60_000)

test('while the ledger of a new process cannot be read it tries again, and calls go on', async () => {
  const dataFolder = temporaryDataFolder()
  const { ledger } = await openTestLedger(dataFolder)
  const [open = 0] = await intend(ledger, 1)
  let failures = 2
  const read: Ledger['read'] = (query) =>
    (failures -= 1) < 0 ? ledger.read(query) : Promise.reject(new Fault('audit.ledger-unreadable', 'not now'))
  const life = reconcile({ ...ledger, read })
  void life.begin()
  const [live = 0] = await intend(life.calls, 1)
  await expect.poll(() => interruptedIn(ledger), { timeout: 5000 }).toEqual([open])
  expect([...life.calls.open]).toEqual([live])
})
