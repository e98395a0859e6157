import { expect, test } from 'vitest'
import {
  joinName,
  maxSharedNameChars,
  nameRoomRefusal,
  sharedToolName,
  splitName,
  toolBySharedName,
} from './shared-names.ts'

test('a name is both names joined, and is split at its first separator', () => {
  expect(sharedToolName('notes', 'add_note')).toBe('notes__add_note')
  expect(splitName('notes__add_note')).toEqual({ upstream: 'notes', own: 'add_note' })
  expect(splitName('notes__books__echo')).toEqual({ upstream: 'notes', own: 'books__echo' })
  expect(splitName('notes____echo')).toEqual({ upstream: 'notes', own: '__echo' })
})

test.each(['', 'echo', 'notes_echo', '__echo', 'notes__'])('%j is no joined name', (name) => {
  expect(splitName(name)).toBeUndefined()
})

test('a name is short from one character over the budget on, and always fits', () => {
  const room = maxSharedNameChars - 'notes__'.length
  expect(sharedToolName('notes', 'a'.repeat(room))).toBe(`notes__${'a'.repeat(room)}`)
  const short = sharedToolName('notes', 'a'.repeat(room + 1))
  expect(short).toMatch(/^notes__a{40}_[0-9a-f]{6}$/)
  for (let length = 1; length <= 27; length += 1) {
    const upstream = 'u'.repeat(length)
    expect(nameRoomRefusal(upstream)).toBeUndefined()
    const name = sharedToolName(upstream, 'tool'.repeat(64))
    expect(name.length).toBeLessThanOrEqual(maxSharedNameChars)
    expect(splitName(name)?.own.length).toBeGreaterThanOrEqual(24 + 7)
  }
})

test('the same tool has the same short name everywhere, another tool another one', () => {
  const one = 'a_tool_with_a_very_long_name_that_begins_as_another_does_one'
  const other = 'a_tool_with_a_very_long_name_that_begins_as_another_does_two'
  expect(sharedToolName('notes', one)).toBe(sharedToolName('notes', one))
  expect(sharedToolName('notes', one)).not.toBe(sharedToolName('notes', other))
  expect(toolBySharedName(sharedToolName('notes', one), 'notes', [other, one])).toBe(one)
})

test('a tool that is named like the short form of another keeps its name, and the other has none', () => {
  const long = 'a_tool_with_a_very_long_name_that_does_not_fit_into_the_budget'
  const short = sharedToolName('notes', long)
  const impostor = splitName(short)?.own ?? ''
  expect(sharedToolName('notes', impostor)).toBe(short)
  expect(toolBySharedName(short, 'notes', [long, impostor])).toBe(impostor)
  expect(toolBySharedName(short, 'notes', [long])).toBe(long)
})

test('a name that is too long stands for nothing, also when it is joined of both names', () => {
  const long = 'a'.repeat(60)
  expect(toolBySharedName(joinName('notes', long), 'notes', [long])).toBeUndefined()
  expect(toolBySharedName('notes__nothing', 'notes', [long])).toBeUndefined()
})
