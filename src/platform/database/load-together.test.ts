import { expect, test } from 'vitest'
import { loadTogether } from './load-together.ts'

function counting(fails = false) {
  const asked: (readonly string[])[] = []
  const load = loadTogether(async (keys) => {
    asked.push(keys)
    if (fails) throw new Error('gone')
    return new Map(keys.filter((key) => key !== 'none').map((key) => [key, `value of ${key}`]))
  })
  return { asked, load }
}

test('what is asked for in one turn is read once, each for whoever asked', async () => {
  const { asked, load } = counting()
  expect(await Promise.all(['a', 'b', 'a', 'none'].map(load))).toEqual([
    'value of a',
    'value of b',
    'value of a',
    undefined,
  ])
  expect(asked).toEqual([['a', 'b', 'none']])
})

test('what is asked for later is read anew', async () => {
  const { asked, load } = counting()
  await load('a')
  await load('a')
  expect(asked).toEqual([['a'], ['a']])
})

test('500 are read with one statement, and one more with another', async () => {
  const { asked, load } = counting()
  await Promise.all(Array.from({ length: 500 }, (_, at) => load(String(at))))
  expect(asked.map(({ length }) => length)).toEqual([500])
  await Promise.all(Array.from({ length: 501 }, (_, at) => load(String(at))))
  expect(asked.map(({ length }) => length)).toEqual([500, 500, 1])
})

test('a failure is told to all who asked, and not to the next', async () => {
  const { asked, load } = counting(true)
  const outcomes = await Promise.allSettled([load('a'), load('b')])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await expect(load('a')).rejects.toThrow('gone')
  expect(asked).toHaveLength(2)
})
