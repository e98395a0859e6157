import { expect, test } from 'vitest'
import { defineRefusals, refuse } from '#kernel'
import { checklist, type Guard } from './checklist.ts'

interface Start {
  readonly count: number
}

const refusals = defineRefusals({
  tooMany: { code: 'gateway.too-many', says: 'too many', hint: 'send fewer', status: 400 },
})

const double: Guard<Start, { doubled: number }> = { name: 'double', check: ({ count }) => ({ doubled: count * 2 }) }

const limit: Guard<{ doubled: number }, { isChecked: true }> = {
  name: 'limit',
  check: async ({ doubled }) => (doubled > 10 ? refuse(refusals.tooMany) : { isChecked: true }),
}

test('guards run in order, each on what the ones before it learned', async () => {
  const outcome = await checklist<Start>().must(double).must(limit).run({ count: 3 })
  expect(outcome).toEqual({ isRefused: false, known: { count: 3, doubled: 6, isChecked: true } })
})

test('the first refusal ends the list and says which guard refused and what was known', async () => {
  const asked: string[] = []
  const after: Guard<Start, {}> = {
    name: 'after',
    check: () => {
      asked.push('after')
      return {}
    },
  }
  const outcome = await checklist<Start>().must(double).must(limit).must(after).run({ count: 6 })
  expect(outcome).toMatchObject({ isRefused: true, guard: 'limit', known: { count: 6, doubled: 12 } })
  expect(outcome).toMatchObject({ refusal: { code: 'gateway.too-many' } })
  expect(asked).toEqual([])
})

test.each([
  ['at once', (): {} => expect.unreachable()],
  ['later', (): Promise<{}> => Promise.reject(new Error('broken'))],
])('a guard that throws %s has refused, without its message in the answer', async (_, check) => {
  const broken: Guard<Start, {}> = { name: 'broken', check }
  const outcome = await checklist<Start>().must(broken).run({ count: 1 })
  expect(outcome).toMatchObject({ isRefused: true, guard: 'broken', refusal: { code: 'gateway.fault', status: 500 } })
  const { says, hint } = outcome.isRefused ? outcome.refusal : { says: 'broken', hint: '' }
  expect(says + hint).not.toContain('broken')
})

test('a list can be continued in two ways without the one touching the other', async () => {
  const start = checklist<Start>().must(double)
  const longer = start.must(limit)
  expect(start.names).toEqual(['double'])
  expect(longer.names).toEqual(['double', 'limit'])
})

test('what the caller passed in is not changed by a run', async () => {
  const given = { count: 2 }
  await checklist<Start>().must(double).run(given)
  expect(given).toEqual({ count: 2 })
})
