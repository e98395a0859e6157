/**
 * A tool of Ben's moves money, and is used only with a fresh factor for each call. Whoever has his token, or runs his client,
 * wants more than the one call that he looked at: the same again, another amount, another tool, another client of his, a
 * little later. Mallory wants him to prove hers, and to prove his.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { hiddenFields } from '../world/pages/page-client.ts'
import { linkIn, pay, payModern, prove, startPayments } from '../world/step-up/payments.ts'

const isAsked = { status: 200, body: { error: { code: 403, data: { code: 'gateway.step-up-needed' } } } }
const isPassed = { status: 200, body: { result: { content: [{ type: 'text' }] } } }

for (const database of ['sqlite', 'postgres'] as const) {
  proves('STU-1', `a proof lets exactly the call pass that was looked at, once (${database})`, async () => {
    const { world, ben, token, browser } = await startPayments({ database })
    const call = (message: unknown) => world.post({ token, message })
    const asked = await call(pay(10))
    expect(asked).toMatchObject(isAsked)
    const path = linkIn(asked)
    expect(asked.body['error']).toMatchObject({ message: expect.stringContaining(path) })
    expect(linkIn(await call(pay(10)))).toBe(path)
    expect(world.books.calls('tools/call')).toEqual([])
    expect(await prove(browser, ben, path)).toBe('Proved')
    for (const other of [pay(11), pay('10'), pay(10, { task: {} }), pay(10, { more: 1 })]) {
      const answer = await call(other)
      expect(answer).toMatchObject(isAsked)
      expect(linkIn(answer)).not.toBe(path)
    }
    expect(world.books.calls('tools/call')).toEqual([])
    expect(await call(pay(10))).toMatchObject(isPassed)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    const again = await call(pay(10))
    expect(again).toMatchObject(isAsked)
    expect(linkIn(again)).not.toBe(path)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    const id = path.slice('/step-up/'.length)
    const [passed] = (await world.ledger('&event=call.intended')).filter(({ details }) => details?.['stepUp'])
    expect(passed?.details?.['stepUp']).toEqual({ id, factors: ['password', 'totp'], round: 0 })
    const [proved] = await world.ledger('&event=step-up.proved')
    expect(proved).toMatchObject({
      principal: { name: 'ben' },
      target: { upstream: 'books', kind: 'tool', name: 'echo' },
    })
    expect(proved?.details).toMatchObject({ stepUp: id, factors: ['password', 'totp'] })
    const refused = (await world.ledger('&event=call.refused')).filter(({ details }) => details?.['stepUp'] === id)
    expect(refused).toHaveLength(2)
  })
}

for (const database of ['sqlite', 'postgres'] as const) {
  proves('STU-1', `of two calls at once on two nodes one passes with a proof (${database})`, async () => {
    const { world, ben, token, browser } = await startPayments({ database })
    const second = await world.secondNode()
    const there = await second.mint(ben.sessionToken(), 'books')
    const here = (message: unknown) => world.post({ token, message })
    for (let round = 0; round < 5; round += 1) {
      const path = linkIn(await here(pay(round)))
      expect(await prove(browser, ben, path)).toBe('Proved')
      // WHY: another token is another client, and the proof is not for it, whichever node it asks.
      expect(await world.post({ token: there, gatewayUrl: second.gatewayUrl, message: pay(round) })).toMatchObject(
        isAsked,
      )
      const both = [undefined, second.gatewayUrl, undefined, second.gatewayUrl].map((gatewayUrl) =>
        world.post({ token, message: pay(round), ...(gatewayUrl === undefined ? {} : { gatewayUrl }) }),
      )
      const answers = await Promise.all(both)
      expect(answers.filter(({ body }) => 'result' in body)).toHaveLength(1)
      expect(answers.filter(({ body }) => 'error' in body)).toHaveLength(3)
      expect(world.books.calls('tools/call')).toHaveLength(round + 1)
    }
  })
}

proves('STU-1', 'a proof that comes too late, or is used too late, is worth nothing', async () => {
  const { world, ben, token, browser } = await startPayments()
  const call = () => world.post({ token, message: pay(10) })
  const five = 5 * 60_000
  const path = linkIn(await call())
  const page = await browser.request(path)
  expect(page.text).toContain('5 minutes')
  world.clock.advance(five)
  expect((await browser.request(path)).status).toBe(404)
  const fields = { ...hiddenFields(page.text, path), password: ben.password, code: ben.nextCode() }
  expect((await browser.request(path, { fields: { ...fields, 'answer-is': 'prove' } })).status).toBe(404)
  const next = linkIn(await call())
  expect(next).not.toBe(path)
  expect(await prove(browser, ben, next)).toBe('Proved')
  expect((await browser.request(next)).status).toBe(404)
  world.clock.advance(five)
  expect(await call()).toMatchObject(isAsked)
  const third = linkIn(await call())
  expect(await prove(browser, ben, third)).toBe('Proved')
  world.clock.advance(five - 1)
  expect(await call()).toMatchObject(isPassed)
  expect(world.books.calls('tools/call')).toHaveLength(1)
})

proves(
  'STU-1',
  'a client of 2026-07-28 is asked, waits for its person, and passes with the call that it made',
  async () => {
    const { world, ben, token, browser } = await startPayments()
    const call = (amount: unknown, more = {}, elicitation = {}) =>
      world.post({ token, ...payModern(amount, more, elicitation) })
    expect(await call(10, {}, {})).toMatchObject(isAsked)
    expect(await call(10, {}, { form: {} })).toMatchObject(isAsked)
    const asked = await call(10, {}, { url: {} })
    const path = linkIn(asked)
    const params = { mode: 'url', url: `${world.gatewayUrl}${path}`, message: expect.stringContaining('`echo`') }
    const inputRequests = { 'castellan-step-up': { method: 'elicitation/create', params } }
    expect(asked).toMatchObject({ status: 200, body: { result: { resultType: 'input_required', inputRequests } } })
    const inputResponses = { 'castellan-step-up': { action: 'accept' } }
    const goingOn = call(10, { inputResponses }, { url: {} })
    const another = call(11, { inputResponses: { 'castellan-step-up': { action: 'decline' } } }, { url: {} })
    expect(await another).toMatchObject({ body: { error: { data: { code: 'gateway.step-up-declined' } } } })
    expect(world.books.calls('tools/call')).toEqual([])
    expect(await prove(browser, ben, path)).toBe('Proved')
    expect(await goingOn).toMatchObject(isPassed)
    const [arrived, ...more] = world.books.calls('tools/call')
    expect(more).toEqual([])
    expect(arrived?.message?.params).not.toHaveProperty('inputResponses')
    expect(arrived?.body).not.toContain('castellan-step-up')
    expect(arrived?.message?.params?.['arguments']).toEqual({ amount: 10 })
    expect(await call(10, { inputResponses: { other: {} } }, { url: {} })).toMatchObject({
      body: { result: { resultType: 'input_required' } },
    })
  },
)

proves('STU-1', 'a role that asks for a fresh factor asks whatever else grants the call', async () => {
  const { world, ben, token } = await startPayments()
  await world.ana.api('PUT', `/people/${ben.name}/roles/books-reader`)
  expect(await world.post({ token, message: pay(10) })).toMatchObject(isAsked)
  const listed = await world.post({ token, message: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} } })
  expect(JSON.stringify(listed.body)).toContain('"echo"')
  const read = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'book://1' } }
  expect(await world.post({ token, message: read })).toMatchObject(isAsked)
  const prompt = { jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name: 'summary' } }
  expect(await world.post({ token, message: prompt })).toMatchObject(isAsked)
  expect(world.books.calls().map(({ message }) => message?.method)).not.toContain('resources/read')
})
