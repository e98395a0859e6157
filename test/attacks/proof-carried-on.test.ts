/**
 * A call that passed with a fresh factor is not over: its server asks Ben something in the middle of it, and his client goes
 * on with what it was given to bring back. Whoever has that wants to go on twice, with another amount, or as if it were a
 * proof of its own.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { answerAsOfOld, type Asked, startOldServer } from '../world/servers/old-server.ts'
import { putBehind } from '../world/servers/peers.ts'
import { linkIn, payModern, prove } from '../world/step-up/payments.ts'

type Json = Record<string, unknown>

const question = { mode: 'form', message: 'Transfer it?', requestedSchema: { type: 'object', properties: {} } }

async function startAsking() {
  const [world, bank] = [await startWorld(), await startOldServer()]
  await putBehind(world.ana, 'bank', { url: bank.url })
  let waiting: Asked | undefined
  const answered: string[] = []
  bank.answer = (asked: Asked) => {
    if (asked.method === 'tools/call') {
      waiting = asked
      return asked.event({ id: 'question', method: 'elicitation/create', params: question })
    }
    if (asked.method !== undefined || asked.id === undefined) return answerAsOfOld(asked)
    asked.send(202)
    answered.push(asked.body)
    waiting?.event({ id: waiting.id, result: { content: [{ type: 'text', text: 'moved' }] } })
    waiting?.end()
  }
  const grants = [
    { permissions: ['servers:use'], resources: ['bank'] },
    { permissions: ['tools:call'], resources: ['bank/tools/*'], stepUp: true },
  ]
  await world.ana.api('PUT', '/roles/bank-payer', { grants })
  const ben = await world.join('ben', ['bank-payer'])
  const browser = createPageClient(world.gatewayUrl)
  await browser.signIn(ben)
  const token = await ben.mint('bank')
  const call = (amount: number, more: Json = {}) =>
    world.post({ token, upstream: 'bank', ...payModern(amount, more, { form: {}, url: {} }) })
  return { world, ben, browser, call, answered }
}

proves('STU-1', 'a call goes on that passed with a proof, once for each answer and as it was made', async () => {
  const { world, ben, browser, call, answered } = await startAsking()
  const path = linkIn(await call(10))
  expect(await prove(browser, ben, path)).toBe('Proved')
  const asked = await call(10)
  const { requestState, inputRequests } = asked.body['result'] as { requestState: string; inputRequests: Json }
  expect(Object.keys(inputRequests)).not.toContain('castellan-step-up')
  const [key = ''] = Object.keys(inputRequests)
  const goOn = { requestState, inputResponses: { [key]: { action: 'accept', content: {} } } }
  expect(linkIn(await call(11, goOn))).not.toBe('')
  expect(answered).toEqual([])
  expect(await call(10, goOn)).toMatchObject({ body: { result: { content: [{ text: 'moved' }] } } })
  expect(answered).toHaveLength(1)
  expect(linkIn(await call(10, goOn))).not.toBe('')
  expect(linkIn(await call(10, { requestState }))).not.toBe('')
  expect(answered).toHaveLength(1)
  const id = path.slice('/step-up/'.length)
  const passed = (await world.ledger('&event=call.intended')).map(({ details }) => details?.['stepUp']).filter(Boolean)
  expect(passed.map((one) => one as Json)).toEqual([
    { id, factors: ['password', 'totp'], round: 0 },
    { id, factors: ['password', 'totp'], round: 1 },
  ])
})
