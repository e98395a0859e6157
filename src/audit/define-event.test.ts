import { expect, test } from 'vitest'

import { defineEvent, openEvents } from './define-event.ts'
import { events } from './events.ts'

test.each(['call', 'Call.intended', 'call.Intended', 'call intended', 'call.', '.x', 'a.b.c', `a.${'b'.repeat(63)}`])(
  '%j is not an event name',
  (name) => {
    expect(() => defineEvent({ name, says: 'x' })).toThrow(expect.objectContaining({ code: 'audit.event-name' }))
  },
)

test('a name has at most 64 characters', () => {
  const name = `a.${'b'.repeat(62)}`
  expect(defineEvent({ name, says: 'x' })).toEqual({ name, says: 'x' })
})

test('the catalogue lists the events of all rooms by name and refuses a name declared twice', () => {
  const one = defineEvent({ name: 'b.done', says: 'x' })
  const other = defineEvent({ name: 'a.done', says: 'y' })
  expect(openEvents([one], [other, one])).toEqual([other, one])
  expect(() => openEvents([one], [defineEvent({ name: 'b.done', says: 'z' })])).toThrow(
    expect.objectContaining({ code: 'audit.event-twice' }),
  )
  expect(openEvents(events).map(({ name }) => name)).toEqual(['ledger.closed', 'ledger.opened', 'ledger.recovered'])
})
