import { expect, test } from 'vitest'
import { createStreamLives } from './stream-life.ts'

const everyMs = 100
const limits = { openStreamSeconds: 10, openStreamIdleSeconds: 2 }

function world() {
  const lives = createStreamLives({ current: { limits } }, everyMs)
  const use = { messages: 0 }
  return { lives, use, life: lives.begin('token-1', use, 0) }
}

test('a stream is idle at the limit and not one tick before; a message on it, and a request, begin anew', () => {
  const { lives, use, life } = world()
  expect(lives.over(life, 20)).toBeUndefined()
  expect(lives.over(life, 21)).toMatchObject({ code: 'gateway.stream-idle' })
  use.messages += 1
  expect(lives.over(life, 21)).toBeUndefined()
  lives.asked('token-1', 30)
  expect(lives.over(life, 50)).toBeUndefined()
  expect(lives.over(life, 51)).toMatchObject({ code: 'gateway.stream-idle' })
})

test('requests of another credential are no use of it', () => {
  const { lives, life } = world()
  lives.begin('token-2', { messages: 0 }, 0)
  lives.asked('token-2', 20)
  expect(lives.over(life, 21)).toMatchObject({ code: 'gateway.stream-idle' })
})

test('a stream that is used ends at its absolute limit and not one tick before', () => {
  const { lives, use, life } = world()
  for (let tick = 0; tick <= 100; tick += 1) {
    use.messages += 1
    expect(lives.over(life, tick)).toBeUndefined()
  }
  use.messages += 1
  expect(lives.over(life, 101)).toMatchObject({ code: 'gateway.stream-too-long' })
})

test('a credential is forgotten with its last stream', () => {
  const { lives, life } = world()
  const other = lives.begin('token-1', { messages: 0 }, 5)
  lives.end(life)
  lives.asked('token-1', 10)
  expect(lives.over(other, 30)).toBeUndefined()
  lives.end(other)
  lives.asked('token-1', 40)
  expect(lives.over(other, 40)).toMatchObject({ code: 'gateway.stream-idle' })
})
