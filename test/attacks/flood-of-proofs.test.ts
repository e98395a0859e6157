/**
 * A client of Ben's makes calls without end that need a fresh factor: to fill the database, and to wear him down until he
 * lets one pass. He denies one, and it asks again at once. A program of no person's asks, too.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { linkIn, pay, prove, startPayments } from '../world/step-up/payments.ts'

const codeOf = ({ body }: { body: Record<string, unknown> }): unknown =>
  ((body['error'] as Record<string, unknown>)['data'] as Record<string, unknown>)['code']

proves('STU-3', 'ten calls of a person wait at a time, and the eleventh is turned away', async () => {
  const { world, ben, token, browser } = await startPayments()
  const call = (amount: number) => world.post({ token, message: pay(amount) })
  const asked = await Promise.all(Array.from({ length: 10 }, (_, amount) => call(amount)))
  expect(asked.map(codeOf)).toEqual(Array(10).fill('gateway.step-up-needed'))
  const past = await call(10)
  expect(codeOf(past)).toBe('identity.too-many-step-ups')
  expect(past.headers.get('retry-after')).toBe('300')
  expect(linkIn(past)).toBe('')
  expect(linkIn(await call(3))).toBe(linkIn(asked[3] ?? past))
  const zoe = await world.join('zoe', ['payer'])
  expect(codeOf(await world.post({ token: await zoe.mint('books'), message: pay(10) }))).toBe('gateway.step-up-needed')
  expect(await prove(browser, ben, linkIn(asked[0] ?? past))).toBe('Proved')
  expect(codeOf(await call(10))).toBe('gateway.step-up-needed')
  world.clock.advance(5 * 60_000)
  expect(codeOf(await call(11))).toBe('gateway.step-up-needed')
  expect(world.books.calls('tools/call')).toEqual([])
})

proves('STU-3', 'what a person denied is not asked for again for a while', async () => {
  const { world, ben, token, browser } = await startPayments()
  const call = (amount: number) => world.post({ token, message: pay(amount) })
  const path = linkIn(await call(10))
  const { text } = await browser.submit(path, { 'answer-is': 'deny' }, path)
  expect(text).toContain('<h1>Denied</h1>')
  const again = await call(10)
  expect(codeOf(again)).toBe('identity.step-up-denied')
  expect(linkIn(again)).toBe('')
  expect(await prove(browser, ben, path)).not.toBe('Proved')
  expect(codeOf(await call(11))).toBe('gateway.step-up-needed')
  const [denied] = await world.ledger('&event=step-up.denied')
  expect(denied).toMatchObject({ principal: { name: 'ben' }, target: { name: 'echo' } })
  world.clock.advance(5 * 60_000)
  expect(codeOf(await call(10))).toBe('gateway.step-up-needed')
  expect(world.books.calls('tools/call')).toEqual([])
})

proves('STU-3', 'calls that a proof would not help get no link', async () => {
  const { world, token } = await startPayments()
  const plain = await world.post({ token, message: { ...pay(10), params: { name: 'secret_tool', arguments: {} } } })
  expect(codeOf(plain)).toBe('gateway.not-granted')
  const subscribe = { jsonrpc: '2.0', id: 1, method: 'resources/subscribe', params: { uri: 'book://1' } }
  expect(codeOf(await world.post({ token, message: subscribe }))).toBe('gateway.not-granted')
  const told = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'echo', arguments: {} } }
  expect((await world.post({ token, message: told })).status).toBe(403)
  expect((await createPageClient(world.gatewayUrl).request('/step-up/x')).status).toBe(404)
  expect(world.books.calls('tools/call')).toEqual([])
})
