import { expect, test } from 'vitest'
import { createRefresh } from './refresh.ts'

function world() {
  const state = { revision: 1, loads: [] as PromiseWithResolvers<void>[] }
  const refresh = createRefresh(
    () => state.revision,
    () => {
      const load = Promise.withResolvers<void>()
      state.loads.push(load)
      return load.promise
    },
  )
  const finish = (index: number) => state.loads[index]?.resolve()
  return { state, refresh, finish }
}

async function settle() {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

test('an unchanged revision answers at once, without a promise', async () => {
  const { state, refresh, finish } = world()
  const first = refresh()
  finish(0)
  await first
  expect(refresh()).toBeUndefined()
  expect(state.loads).toHaveLength(1)
})

test('callers of one revision share one load', async () => {
  const { state, refresh, finish } = world()
  const calls = [refresh(), refresh(), refresh()]
  expect(state.loads).toHaveLength(1)
  finish(0)
  await Promise.all(calls)
})

test('a caller that comes after a change waits for a load that began after the change', async () => {
  const { state, refresh, finish } = world()
  const first = refresh()
  state.revision = 2
  let isDone = false
  const late = Promise.resolve(refresh()).then(() => (isDone = true))
  const later = refresh()
  finish(0)
  await first
  await settle()
  expect(isDone).toBe(false)
  expect(state.loads).toHaveLength(2)
  finish(1)
  await Promise.all([late, later])
  expect(refresh()).toBeUndefined()
})

test('a failed load is thrown to all who waited for it, and the next caller loads again', async () => {
  const { state, refresh, finish } = world()
  const calls = [refresh(), refresh()]
  state.loads[0]?.reject(new Error('down'))
  for (const outcome of await Promise.allSettled(calls)) expect(outcome.status).toBe('rejected')
  const again = refresh()
  expect(again).toBeInstanceOf(Promise)
  finish(1)
  await again
  expect(refresh()).toBeUndefined()
})

test('a revision that is new at every call means a load for every caller, at most one of them waiting', async () => {
  let revision = 0
  let loads = 0
  const refresh = createRefresh(
    () => ++revision,
    async () => {
      loads++
      await settle()
    },
  )
  await Promise.all(Array.from({ length: 100 }, () => refresh()))
  expect(loads).toBe(2)
  expect(refresh()).toBeInstanceOf(Promise)
})
