import { defineEvent } from '#audit'
import { expect, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { temporaryDataFolder } from '../../../test/world/folder.ts'
import { openTestLedger } from '../../../test/world/ledger.ts'
import { isDecided, readCalls, seqAt, wasAllowed } from './read-calls.ts'

const intended = defineEvent({ name: 'call.intended', says: 'a call' })
const refused = defineEvent({ name: 'call.refused', says: 'a refusal' })
const completed = defineEvent({ name: 'call.completed', says: 'an end' })

async function record(count: number) {
  const clock = createTestClock(Date.parse('2026-01-01T00:00:00Z'))
  const { ledger } = await openTestLedger(temporaryDataFolder(), clock)
  for (let at = 0; at < count; at++) {
    clock.advance(1_000)
    const person = { id: `p${at % 2}`, name: 'x' }
    await Promise.all([
      ledger.append(intended, { outcome: 'intended', principal: person }),
      ledger.append(completed, { outcome: 'succeeded', principal: person }),
      ledger.append(refused, { outcome: 'refused', principal: person, details: { guard: 'authorize-call' } }),
      ledger.append(refused, { outcome: 'refused', principal: person, details: { guard: 'spend-rate' } }),
    ])
  }
  return { ledger, clock }
}

test('calls come newest first, across many pages, without what policy did not decide', async () => {
  const { ledger } = await record(230)
  const found: { seq: number; event: string }[] = []
  for await (const { seq, event } of readCalls(ledger, {})) found.push({ seq, event })
  expect(found).toHaveLength(460)
  expect(found.map(({ seq }) => seq)).toEqual(found.map(({ seq }) => seq).toSorted((one, other) => other - one))
  const some: string[] = []
  const middle = found[100]?.seq ?? 0
  for await (const { principal, seq } of readCalls(ledger, { person: 'p1', before: middle })) {
    expect(seq).toBeLessThan(middle)
    some.push(String(principal?.id))
  }
  expect(new Set(some)).toEqual(new Set(['p1']))
})

test('a call was decided by policy where it went on, or where policy denied it by a snapshot, and not where something else stopped it', () => {
  const entry = { seq: 1, id: 'e', time: '', outcome: 'refused' } as const
  const isBy = (guard: unknown, details: object = {}) =>
    isDecided({ ...entry, event: 'call.refused', details: { guard, ...details } })
  const judged = { roles: [] }
  expect(isBy('authorize-call', { judged, snapshot: 3 })).toBe(true)
  expect(isBy('authorize-server', { judged, snapshot: 0 })).toBe(true)
  expect(isBy('authorize-call')).toBe(true)
  // WHY: while an approval was waited for, a hold, a budget or a fault stopped it.
  expect(isBy('authorize-call', { judged })).toBe(false)
  expect(isBy('authorize-call', { judged, snapshot: '3' })).toBe(false)
  for (const guard of ['spend-budget', 'refuse-held', undefined])
    expect(isBy(guard, { judged, snapshot: 3 })).toBe(false)
  expect(isDecided({ ...entry, event: 'call.refused' })).toBe(false)
  for (const [event, isAllowed] of [
    ['call.intended', true],
    ['call.completed', false],
    ['call.cut', false],
  ] as const) {
    expect([isDecided({ ...entry, event }), wasAllowed({ ...entry, event })]).toEqual([isAllowed, isAllowed])
  }
})

test('a moment is found by halving: the first entry of it, or one more than the last', async () => {
  const { ledger } = await record(20)
  const [, first] = await ledger.read({ after: 0, limit: 2 })
  const firstMs = Date.parse(first?.time ?? '')
  expect(await seqAt(ledger, 0)).toBe(1)
  expect(await seqAt(ledger, firstMs)).toBe(2)
  expect(await seqAt(ledger, firstMs + 1)).toBe(6)
  expect(await seqAt(ledger, firstMs + 60_000)).toBe(ledger.state().size + 1)
})
