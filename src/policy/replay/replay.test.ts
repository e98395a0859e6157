import { defineEvent } from '#audit'
import type { Target } from '#kernel'
import { expect, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { temporaryDataFolder } from '../../../test/world/folder.ts'
import { openTestLedger } from '../../../test/world/ledger.ts'
import type { Decision } from '../decide.ts'
import type { Policy } from '../policy.ts'
import { decidedThen, replay, type ReplayFilter, type ReplayLine } from './replay.ts'

const intended = defineEvent({ name: 'call.intended', says: 'a call' })
const refused = defineEvent({ name: 'call.refused', says: 'a refusal' })
const completed = defineEvent({ name: 'call.completed', says: 'an end' })
const firstMs = Date.parse('2026-01-01T00:00:00Z')

interface Past {
  readonly name?: string
  readonly tool?: string
  readonly upstream?: string
  readonly kind?: Target['kind']
  readonly isDenied?: boolean
  readonly details?: Readonly<Record<string, unknown>>
}

/** Records calls, one a second, each with its end. @returns their numbers besides */
async function recordAll(calls: readonly Past[]) {
  const clock = createTestClock(firstMs)
  const { ledger } = await openTestLedger(temporaryDataFolder(), clock)
  const seqs: number[] = []
  for (const { name = 'ben', tool = 'echo', upstream = 'books', kind = 'tool', isDenied, details } of calls) {
    const principal = { id: `id of ${name}`, name }
    const common = { exchange: `x${seqs.length}`, principal, target: { upstream, kind, name: tool } }
    const told = { method: 'tools/call', judged: {}, snapshot: 3, rules: ['then'], ...details }
    const { seq } = await (isDenied === true
      ? ledger.append(refused, { ...common, outcome: 'refused', details: { guard: 'authorize-call', ...told } })
      : ledger.append(intended, { ...common, outcome: 'intended', details: told }))
    await ledger.append(completed, { outcome: 'succeeded', principal })
    seqs.push(seq)
    clock.advance(1_000)
  }
  return { ledger, seqs }
}

const allow: Decision = {
  isAllowed: true,
  reasons: [{ rule: 'yes', says: 'y' }],
  snapshotVersion: 4,
  remedies: [],
  mayDepend: false,
}
const deny: Decision = { ...allow, isAllowed: false, reasons: [{ rule: 'no', says: 'n' }] }
const depends: Decision = { ...deny, mayDepend: true }

/** Decides by the name of what is called. */
const byName =
  (answers: Readonly<Record<string, Decision>>): Policy['decide'] =>
  (_principal, permission, target) =>
    (permission === 'servers:use' || target === 'castellan' ? undefined : answers[target.name ?? '']) ?? allow

interface Trying {
  readonly filter?: ReplayFilter
  readonly decide?: Policy['decide']
  readonly inForce?: Policy['decide']
  readonly signal?: AbortSignal
}

async function tryAll({ ledger }: Awaited<ReturnType<typeof recordAll>>, trying: Trying = {}) {
  const { filter = {}, decide = byName({}), inForce = byName({}), signal = new AbortController().signal } = trying
  const lines: ReplayLine[] = []
  const budget = { sliceMs: 1_000, share: 1 }
  for await (const line of replay({ ledger, decide, inForce, filter, signal, budget })) lines.push(line)
  const summary = lines.at(-1)
  if (summary?.kind !== 'summary') throw new Error('no summary')
  const changes = lines.flatMap((line) => (line.kind === 'change' ? [line] : []))
  return { lines, summary, changes }
}

test('a call is unchanged, loosened, tightened or untold, and each change is told newest first, with all there is to it', async () => {
  const past = await recordAll([
    { tool: 'same' },
    { tool: 'opened', isDenied: true, details: { reasons: [{ rule: 'not-granted' }, null], rules: undefined } },
    { tool: 'closed', name: 'eve' },
    { tool: 'hidden' },
    { tool: 'closed', isDenied: true },
  ])
  const decide = byName({ closed: deny, hidden: depends })
  const { changes, summary } = await tryAll(past, { decide, inForce: byName({ opened: deny }) })
  expect(changes).toEqual([
    {
      kind: 'change',
      change: 'untold',
      seq: past.seqs[3],
      time: '2026-01-01T00:00:03.000Z',
      exchange: 'x3',
      person: { id: 'id of ben', name: 'ben' },
      target: { upstream: 'books', kind: 'tool', name: 'hidden' },
      method: 'tools/call',
      before: { judged: 'allowed', rules: ['then'], snapshot: 3 },
      after: { judged: 'untold', reasons: depends.reasons, remedies: [] },
      inForce: 'allowed',
    },
    expect.objectContaining({ change: 'tightened', seq: past.seqs[2], person: { id: 'id of eve', name: 'eve' } }),
    expect.objectContaining({
      change: 'loosened',
      seq: past.seqs[1],
      before: { judged: 'denied', rules: ['not-granted', 'undefined'], snapshot: 3 },
      after: { judged: 'allowed', reasons: allow.reasons, remedies: [] },
      inForce: 'denied',
    }),
  ])
  expect(summary.counts).toEqual({ calls: 5, unchanged: 2, loosened: 1, tightened: 1, untold: 1, notRecorded: 0 })
  expect(summary).toMatchObject({ ended: 'whole', before: 1, done: 1 })
  expect(summary.totals.people).toEqual([
    { name: 'ben', loosened: 1, tightened: 0, untold: 1 },
    { name: 'eve', loosened: 0, tightened: 1, untold: 0 },
  ])
  expect(summary.totals.tools.map(({ name }) => name)).toEqual(['books/closed', 'books/hidden', 'books/opened'])
  expect(summary.totals.rules).toEqual([
    { name: 'no', loosened: 0, tightened: 1, untold: 1 },
    { name: 'then', loosened: 0, tightened: 1, untold: 1 },
    { name: 'not-granted', loosened: 1, tightened: 0, untold: 0 },
    { name: 'undefined', loosened: 1, tightened: 0, untold: 0 },
    { name: 'yes', loosened: 1, tightened: 0, untold: 0 },
  ])
})

test('what is not on record is counted as such, what is masked as untold, and neither is told as a change', async () => {
  const past = await recordAll([
    { details: { judged: undefined } },
    { details: { judged: { roles: ['ann@example.com'] } } },
    { details: { judged: {} } },
  ])
  const { changes, summary } = await tryAll(past, { decide: byName({ echo: deny }) })
  expect(changes.map(({ seq }) => seq)).toEqual([past.seqs[2]])
  expect(summary.counts).toEqual({ calls: 3, unchanged: 0, loosened: 0, tightened: 1, untold: 1, notRecorded: 1 })
})

test('a call without a method or an exchange is told without', async () => {
  const past = await recordAll([{ details: { method: 7 } }])
  const { changes } = await tryAll(past, { decide: byName({ echo: deny }) })
  expect(changes).toMatchObject([{ method: '' }])
})

test('each filter keeps what it names and nothing else', async () => {
  const past = await recordAll([
    { name: 'eve' },
    { upstream: 'notes' },
    { tool: 'other' },
    { kind: 'resource' },
    { isDenied: true },
    {},
  ])
  const decide = byName({ echo: depends, other: depends })
  const found = async (filter: ReplayFilter) => {
    const { changes, summary } = await tryAll(past, { filter, decide })
    expect(summary.counts.calls).toBe(changes.length)
    return changes.map(({ seq }) => past.seqs.indexOf(seq)).toReversed()
  }
  expect(await found({})).toEqual([0, 1, 2, 3, 4, 5])
  expect(await found({ person: 'id of eve' })).toEqual([0])
  expect(await found({ person: 'eve' })).toEqual([])
  expect(await found({ upstream: 'notes' })).toEqual([1])
  expect(await found({ tool: 'other' })).toEqual([2])
  expect(await found({ tool: 'echo' })).toEqual([0, 1, 4, 5])
  expect(await found({ decision: 'denied' })).toEqual([4])
  expect(await found({ decision: 'allowed' })).toEqual([0, 1, 2, 3, 5])
  expect(await found({ upstream: 'books', tool: 'echo', decision: 'allowed' })).toEqual([0, 5])
  expect(await found({ since: firstMs + 4_000 })).toEqual([4, 5])
  expect(await found({ since: firstMs + 3_999 })).toEqual([4, 5])
  expect(await found({ since: firstMs + 4_001 })).toEqual([5])
  expect(await found({ until: firstMs + 2_000 })).toEqual([0, 1])
  expect(await found({ until: firstMs + 2_001 })).toEqual([0, 1, 2])
  expect(await found({ since: firstMs + 1_000, until: firstMs + 2_000 })).toEqual([1])
  expect(await found({ before: past.seqs[2] ?? 0 })).toEqual([0, 1])
  expect(await found({ before: past.seqs[4] ?? 0, until: firstMs + 3_000 })).toEqual([0, 1, 2])
  expect(await found({ before: past.seqs[2] ?? 0, until: firstMs + 5_000 })).toEqual([0, 1])
})

test('so many calls end it, and another replay goes on before the last line, without a gap and without a call twice', async () => {
  const past = await recordAll(Array.from({ length: 5 }, () => ({})))
  const decide = byName({ echo: deny })
  const two = await tryAll(past, { filter: { mostCalls: 2 }, decide })
  expect(two.summary).toMatchObject({ ended: 'most-calls', counts: { calls: 2 }, before: past.seqs[3], done: 1 })
  expect(two.changes.map(({ seq }) => seq)).toEqual([past.seqs[4], past.seqs[3]])
  const rest = await tryAll(past, { filter: { mostCalls: 3, before: two.summary.before }, decide })
  expect(rest.changes.map(({ seq }) => seq)).toEqual([past.seqs[2], past.seqs[1], past.seqs[0]])
  expect(rest.summary).toMatchObject({ ended: 'whole', before: 1 })
  const nothing = await tryAll(past, { filter: { mostCalls: 0 }, decide })
  expect(nothing.summary).toMatchObject({ ended: 'most-calls', counts: { calls: 0 } })
  expect(nothing.changes).toEqual([])
})

test('calls that a filter leaves out do not count towards the most', async () => {
  const past = await recordAll([{ tool: 'other' }, {}, {}, {}])
  const { changes } = await tryAll(past, { filter: { tool: 'other', mostCalls: 1 }, decide: byName({ other: deny }) })
  expect(changes.map(({ seq }) => seq)).toEqual([past.seqs[0]])
})

test('who stops it gets a summary of what was looked at', async () => {
  const past = await recordAll([{}, {}, {}])
  const stop = new AbortController()
  const decide: Policy['decide'] = (...asked) => {
    stop.abort()
    return byName({})(...asked)
  }
  const { summary } = await tryAll(past, { decide, signal: stop.signal })
  expect(summary).toMatchObject({ ended: 'stopped', counts: { calls: 1, unchanged: 1 }, before: past.seqs[2] })
})

test('an empty ledger is replayed at once, and a stretch without calls is done', async () => {
  const { summary } = await tryAll(await recordAll([]))
  expect(summary).toMatchObject({ ended: 'whole', done: 1, before: 1, counts: { calls: 0 } })
  const past = await recordAll([{}, {}])
  const late = await tryAll(past, { filter: { since: firstMs + 60_000 } })
  expect(late.summary).toMatchObject({ ended: 'whole', done: 1, counts: { calls: 0 } })
})

test('how far it has come is told every second, with the counts of then', async () => {
  const past = await recordAll(Array.from({ length: 8 }, () => ({})))
  const { signal } = new AbortController()
  const lines: ReplayLine[] = []
  const decide: Policy['decide'] = (...asked) => {
    const until = performance.now() + 110
    while (performance.now() < until);
    return byName({})(...asked)
  }
  const budget = { sliceMs: 10_000, share: 1 }
  for await (const line of replay({ ...past, decide, inForce: decide, filter: {}, signal, budget })) lines.push(line)
  const told = lines.flatMap((line) => (line.kind === 'progress' ? [line] : []))
  expect(lines).toHaveLength(told.length + 1)
  expect(told.length).toBeGreaterThan(0)
  expect(told[0]?.counts.calls).toBeGreaterThan(1)
  expect(told[0]?.counts.calls).toBeLessThan(8)
  for (const { counts, before, callsPerSecond } of told) {
    expect(before).toBe(past.seqs[8 - counts.calls])
    expect(counts.unchanged).toBe(counts.calls)
    expect(callsPerSecond).toBeGreaterThan(0)
  }
})

test('rules and snapshot of a decision are as they were recorded, and none where they were not', () => {
  const entry = { seq: 1, id: 'e', time: '', event: 'call.refused', outcome: 'refused' } as const
  const reasons = [{ rule: 'a', says: 'x' }, { says: 'y' }]
  expect(decidedThen({ ...entry, details: { rules: ['r', 1], snapshot: 5 } })).toEqual({
    rules: ['r', '1'],
    snapshot: 5,
  })
  expect(decidedThen({ ...entry, details: { reasons, snapshot: '5' } })).toEqual({
    rules: ['a', 'undefined'],
    snapshot: 0,
  })
  expect(decidedThen({ ...entry, details: { reasons: 'a', rules: 'r' } })).toEqual({ rules: [], snapshot: 0 })
  expect(decidedThen(entry)).toEqual({ rules: [], snapshot: 0 })
})
