import { expect, test } from 'vitest'
import fc from 'fast-check'
import { Roll, type Place } from './roll.ts'

test('holds what entered and did not leave, whatever the order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (steps) => {
      const roll = new Roll<number>()
      const inside = new Map<number, Place<number>>()
      for (const step of steps) {
        const place = inside.get(step)
        if (place === undefined) inside.set(step, roll.enter(step))
        else roll.leave(place)
        if (place !== undefined) inside.delete(step)
        expect(
          roll
            .list()
            .map(({ thing }) => thing)
            .toSorted((one, other) => one - other),
        ).toEqual([...inside.keys()].toSorted((one, other) => one - other))
        expect(roll.size).toBe(inside.size)
      }
    }),
  )
})

test('who has left stays out when leaving again', () => {
  const roll = new Roll<string>()
  const [first, second] = [roll.enter('first'), roll.enter('second')]
  roll.leave(first)
  roll.leave(first)
  expect(roll.list()).toEqual([second])
  expect(first.at).toBe(-1)
})
