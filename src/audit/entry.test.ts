import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { defineEvent } from './define-event.ts'
import { type EntryFields, writeBody } from './entry.ts'

const event = defineEvent({ name: 'test.noted', says: 'A test noted something.' })
const text = fc.string({ unit: 'binary' })
const target = fc.record(
  { upstream: text, kind: fc.constantFrom('server', 'tool', 'resource', 'prompt'), name: text },
  { requiredKeys: ['upstream', 'kind'] },
)
const fields: fc.Arbitrary<EntryFields> = fc.record(
  {
    outcome: fc.constantFrom('intended', 'succeeded', 'refused', 'failed', 'unknown'),
    exchange: text,
    principal: fc.record({ id: text, name: text }),
    address: text,
    target,
    refusal: text,
    durationMs: fc.double(),
    bytes: fc.double(),
    details: fc.dictionary(text, fc.anything()),
  },
  { requiredKeys: ['outcome'] },
)

test('every body is its own canonical JSON and says what was given', () => {
  fc.assert(
    fc.property(fields, fc.nat(), (given, seq) => {
      const { id, body } = writeBody(event, given, seq, 1_767_603_600_000)
      const entry: Record<string, unknown> = JSON.parse(body)
      expect(canonicalize(entry)).toBe(body)
      expect(entry).toMatchObject({ id, seq, event: 'test.noted', outcome: given.outcome })
      const names = ['id', 'seq', 'event', 'time', ...Object.keys(given).filter((name) => name in given)]
      expect(Object.keys(entry).toSorted()).toEqual(names.toSorted())
      if (given.address !== undefined) expect(entry['address']).toBe(given.address.toWellFormed())
    }),
    { numRuns: 500 },
  )
})

test('absent and undefined members are the same', () => {
  const given = { outcome: 'failed', exchange: undefined, details: undefined, target: undefined } as const
  expect(Object.keys(JSON.parse(writeBody(event, given, 1, 0).body))).toEqual(['event', 'id', 'outcome', 'seq', 'time'])
})
