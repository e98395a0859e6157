import { expect, test } from 'vitest'
import { badKinds } from './bad.ts'
import { goodKinds } from './good.ts'
import { judgeAlone } from './judge-alone.ts'

test('each kind has a name of its own', () => {
  const names = [...goodKinds, ...badKinds].map(({ name }) => name)
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  expect(badKinds.length).toBeGreaterThanOrEqual(150)
})

test('every bad token is refused and leaves nothing, every good one is accepted', async () => {
  const { wrong, accepted, refused, left } = await judgeAlone()
  expect(wrong).toEqual([])
  expect([accepted, refused]).toEqual([goodKinds.length, badKinds.length])
  expect(left).toBe(0)
}, 60_000)
