import fc from 'fast-check'
import { isRefusal, type Refusal } from '#kernel'
import { expect, onTestFinished, test } from 'vitest'
import { createTurns, mostOpenCalls, mostWaitingCalls, type Turn } from './turns.ts'

function world(limits = { openStreams: 5, openStreamsPerPrincipal: 3 }) {
  const settings = { current: { limits } }
  const turns = createTurns(settings)
  onTestFinished(() => turns.close())
  const going = { aborted: false }
  const call = (principalId: string, more: { upstream?: string; kind?: 'asked' | 'told'; cut?: typeof going } = {}) =>
    turns.openCall({ principalId, upstream: 'books', kind: 'asked', cut: going, ...more })
  return { turns, settings, call }
}

function opened(turn: Turn | Refusal | Promise<Turn | Refusal>): Turn {
  if (turn instanceof Promise || isRefusal(turn)) throw new Error('the turn did not begin at once')
  return turn
}

test('calls up to the share begin at once, the next ones in their order, and one past the line is refused', async () => {
  const { call } = world()
  const open = Array.from({ length: mostOpenCalls }, () => opened(call('ben')))
  const begun: number[] = []
  const waiting = Array.from({ length: mostWaitingCalls }, async (_, at) => {
    const turn = await call('ben')
    begun.push(at)
    return turn
  })
  expect(call('ben')).toMatchObject({ code: 'gateway.too-many-calls', status: 429, retryAfterSeconds: 1 })
  open[0]?.end()
  open[1]?.end()
  await Promise.all(waiting.slice(0, 2))
  expect(begun).toEqual([0, 1])
  expect(call('ben')).toBeInstanceOf(Promise)
})

test('the share is of one person, at one upstream, and what must get through has its own', () => {
  const { call } = world()
  for (let count = 0; count < mostOpenCalls; count++) opened(call('ben'))
  expect(call('ben')).toBeInstanceOf(Promise)
  opened(call('ana'))
  opened(call('ben', { upstream: 'other' }))
  opened(call('ben', { kind: 'told' }))
})

test('whoever is cut while waiting gets no turn, and does not keep the next from theirs', async () => {
  const { call } = world()
  const open = Array.from({ length: mostOpenCalls }, () => opened(call('ben')))
  const cut = { aborted: false }
  const [gone, next] = [call('ben', { cut }), call('ben')]
  cut.aborted = true
  open[0]?.end()
  expect(await gone).toMatchObject({ kind: 'refusal' })
  expect(isRefusal(await next)).toBe(false)
})

test('one that is cut while nothing moves is told soon', async () => {
  const { call } = world()
  for (let count = 0; count < mostOpenCalls; count++) opened(call('ben'))
  const cut = { aborted: false }
  const [first, gone] = [call('ben'), call('ben', { cut })]
  cut.aborted = true
  expect(await Promise.race([first, gone])).toMatchObject({ code: 'gateway.too-many-calls' })
})

test('never more are open than the share, none is forgotten, and nothing is left at the end', async () => {
  const steps = fc.array(fc.record({ isCall: fc.boolean(), who: fc.constantFrom('ana', 'ben') }), { maxLength: 400 })
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const { call } = world()
      const open = new Map<string, Turn[]>([
        ['ana', []],
        ['ben', []],
      ])
      let asked = 0
      let told = 0
      for (const { isCall, who } of all) {
        const own = open.get(who) ?? []
        if (!isCall) {
          own.shift()?.end()
        } else {
          asked += 1
          void Promise.resolve(call(who)).then((turn) => {
            told += 1
            if (!isRefusal(turn)) own.push(turn)
          })
        }
        await Promise.resolve()
        await Promise.resolve()
        await Promise.resolve()
        expect(own.length).toBeLessThanOrEqual(mostOpenCalls)
      }
      for (let turns = [...open.values()]; turns.some((own) => own.length > 0); turns = [...open.values()]) {
        for (const own of turns) own.shift()?.end()
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(told).toBe(asked)
      for (let count = 0; count < mostOpenCalls; count++) opened(call('ana'))
    }),
    { numRuns: 50 },
  )
})

test('streams up to the ceilings open, one past them does not, and one that ends makes room', () => {
  const { turns, settings } = world()
  const bens = Array.from({ length: 3 }, () => opened(turns.openStream('ben')))
  expect(turns.openStream('ben')).toMatchObject({ code: 'gateway.too-many-streams', status: 429, retryAfterSeconds: 5 })
  for (let count = 0; count < 2; count++) opened(turns.openStream('ana'))
  expect(turns.openStream('ana')).toMatchObject({ code: 'gateway.streams-full', status: 503, retryAfterSeconds: 5 })
  bens[0]?.end()
  opened(turns.openStream('ana'))
  expect(turns.openStream('ben')).toMatchObject({ code: 'gateway.streams-full' })
  settings.current = { limits: { openStreams: 6, openStreamsPerPrincipal: 2 } }
  expect(turns.openStream('ben')).toMatchObject({ code: 'gateway.too-many-streams' })
  settings.current = { limits: { openStreams: 6, openStreamsPerPrincipal: 3 } }
  opened(turns.openStream('ben'))
})
