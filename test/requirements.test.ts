import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { controls } from './controls.ts'
import { requirements, sections } from './requirements.ts'

const known = Object.entries(sections).flatMap(([section, count]) =>
  Array.from({ length: count }, (_, at) => `${section}.${at + 1}`),
)
const ofControls = new Set(
  Object.values(controls)
    .flatMap(({ sources }) => sources as readonly string[])
    .flatMap((source) => (source.startsWith('ASVS ') ? [source.slice('ASVS '.length)] : [])),
)

test('each requirement on people, sessions and tokens is the source of a control, or says how it is met', () => {
  expect(known.filter((id) => !ofControls.has(id) && !Object.hasOwn(requirements, id))).toEqual([])
})

test('none is made up', () => {
  expect(Object.keys(requirements).filter((id) => !known.includes(id))).toEqual([])
  const chapters = new Set(known.map((id) => id.split('.')[0]))
  const madeUp = [...ofControls].filter((id) => chapters.has(id.split('.')[0]) && !known.includes(id))
  expect(madeUp).toEqual([])
})

test('each test that is named is there, under its title', () => {
  const missing = Object.entries(requirements).filter(
    ([, shown]) => 'test' in shown && !readFileSync(shown.test, 'utf8').includes(shown.title),
  )
  expect(missing).toEqual([])
})
