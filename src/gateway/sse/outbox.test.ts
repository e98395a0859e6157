import { expect, test } from 'vitest'
import { Outbox } from './outbox.ts'

const limit = 1024 * 1024
const soon = () => new Promise((resolve) => setTimeout(() => resolve('waiting'), 20))

test('what fits is taken at once; past the limit who delivers waits until the client has read', async () => {
  const outbox = new Outbox()
  expect(await outbox.deliver('a'.repeat(limit - 1_024))).toBe(true)
  expect(await outbox.deliver('b'.repeat(1_024))).toBe(true)
  const late = outbox.deliver('c')
  expect(await Promise.race([late, soon()])).toBe('waiting')
  const frames = outbox.frames()
  await frames.next()
  expect(await late).toBe(true)
  expect([(await frames.next()).value?.body, (await frames.next()).value?.body]).toEqual(['b'.repeat(1_024), 'c'])
})

test('of two who deliver at once, the second waits for the first', async () => {
  const outbox = new Outbox()
  void outbox.deliver('a'.repeat(limit + 1))
  const [first, second] = [outbox.deliver('b'), outbox.deliver('c')]
  expect(await Promise.race([first, second, soon()])).toBe('waiting')
})

test('at its end what was delivered is still read, and whoever waits is told that the stream is over', async () => {
  const outbox = new Outbox()
  await outbox.deliver('a'.repeat(limit + 1))
  const late = outbox.deliver('late')
  outbox.end()
  expect(await late).toBe(false)
  const read: number[] = []
  for await (const { body } of outbox.frames()) read.push(body.length)
  expect(read).toEqual([limit + 1])
})

test('a stream that is left early is over', async () => {
  const outbox = new Outbox()
  for await (const { body } of outbox.frames({ body: 'first' })) {
    expect(body).toBe('first')
    break
  }
  expect(outbox.over.aborted).toBe(true)
  expect(await outbox.deliver('a')).toBe(false)
})
