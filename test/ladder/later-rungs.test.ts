/** The rungs after the request is read and its session known: methods, rights, pins, rates, and the way back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { forAllTests } from '../ending.ts'
import { initialize } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, sendEvent, sendResult } from '../world/servers/lying-upstream.ts'
import { expectRefused } from './expect-refused.ts'
import { type Era, goodCall, goodPost, openDoors, withHeaders, withParams } from './knock.ts'

const doors = forAllTests(() => openDoors())
const eras: readonly Era[] = ['legacy', 'modern']

test.each(eras)('14: equal ids in flight are told apart by ids of our own (%s)', async (era) => {
  const { tokens, world } = doors()
  const before = world.books.calls('tools/call').length
  const slow = [1, 2].map(() => doors().knock(goodCall(era, tokens.ben, 'slow')))
  while (world.books.calls('tools/call').length < before + 2) await sleep(5)
  const ids = world.books
    .calls('tools/call')
    .slice(before)
    .map(({ message }) => message?.id)
  expect(new Set(ids).size).toBe(2)
  expect(ids).not.toContain(7)
  world.books.finishSlow('done')
  for (const heard of await Promise.all(slow)) expect(heard).toMatchObject({ status: 200, json: { id: 7 } })
})

const unknown = { refusal: 'gateway.method-unknown', code: -32601 }
const inventions = ['tools/invent', 'tasks/invent', 'Tools/call', 'tools/call ', '__proto__', 'constructor', '']
test.each(inventions)('15: the method %j is unknown in both eras', async (method) => {
  const { tokens } = doors()
  const message = { jsonrpc: '2.0', id: 7, method, params: { taskId: 'x', name: 'echo' } }
  await expectRefused(doors(), goodPost('legacy', tokens.ben, message), { ...unknown, status: 200, id: 7 })
  const modern = withHeaders(goodPost('modern', tokens.ben, message), {
    'mcp-method': method.trim() === method && method !== '' ? method : `=?base64?${btoa(method)}?=`,
    'mcp-name': 'echo',
  })
  await expectRefused(doors(), modern, { ...unknown, status: 404, id: 7 })
})

const legacyOnly = ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe']
test.each(legacyOnly)('15: %s with an envelope is unknown, without one it is served', async (method) => {
  const { tokens } = doors()
  const message = { jsonrpc: '2.0', id: 7, method, params: { uri: 'test://open' } }
  const enveloped = withHeaders(goodPost('modern', tokens.ben, message), { 'mcp-name': undefined })
  await expectRefused(doors(), enveloped, { status: 404, code: -32601, id: 7 })
  const served = await doors().knock(
    goodPost('legacy', tokens.ben, { ...message, params: { ...initialize.params, ...message.params } }),
  )
  expect(served).toMatchObject({ status: 200, json: { id: 7, result: {} } })
})

test.each(['server/discover', 'subscriptions/listen'])('15: %s without an envelope is unknown', async (method) => {
  const knock = goodPost('legacy', doors().tokens.ben, { jsonrpc: '2.0', id: 7, method, params: {} })
  await expectRefused(doors(), knock, { ...unknown, status: 200, id: 7 })
})

test('15: a notification that is unknown is refused without an id, and never with the 404 of a lost session', async () => {
  const { tokens } = doors()
  const message = { jsonrpc: '2.0', method: 'notifications/invented', params: {} }
  await expectRefused(doors(), goodPost('legacy', tokens.ben, message), { ...unknown, status: 400 })
  await expectRefused(doors(), goodPost('modern', tokens.ben, message), { ...unknown, status: 404 })
})

test.each(eras)('16: nobody is sent for a scope, because roles decide (%s)', async (era) => {
  const { tokens } = doors()
  for (const [token, status, code] of [
    [tokens.ben, 200, -32602],
    [tokens.mallory, 404, 404],
  ] as const) {
    const heard = await doors().knock(goodCall(era, token, 'secret_tool'))
    expect(heard).toMatchObject({ status, json: { id: 7, error: { code } } })
    expect(heard.headers['www-authenticate']).toBeUndefined()
  }
})

test.each(eras)(
  '17: a tool that is not granted, one that is not approved and one that never was sound alike (%s)',
  async (era) => {
    const { tokens, world } = doors()
    const shadow = { name: 'shadow_tool', description: 'New.', inputSchema: { type: 'object' } }
    world.books.tools = [...world.books.tools.filter(({ name }) => name !== 'shadow_tool'), shadow]
    const told = []
    for (const tool of ['secret_tool', 'shadow_tool', 'never_was_a_tool']) {
      const refusal = tool === 'secret_tool' ? 'gateway.not-granted' : 'gateway.tool-not-approved'
      const heard = await expectRefused(doors(), goodCall(era, tokens.ben, tool), {
        status: 200,
        code: -32602,
        id: 7,
        refusal,
      })
      const { exchange: _exchange, ...data } = heard.json.error?.data ?? {}
      told.push(JSON.stringify({ ...heard.json, error: { ...heard.json.error, data } }).replaceAll(tool, 'TOOL'))
    }
    expect(new Set(told).size).toBe(1)
  },
)

test('17: a header that mirrors an argument is not compared for those who may not call the tool', async () => {
  const { tokens, world } = doors()
  await world.ana.api('PUT', '/roles/server-only', {
    description: 'uses the server and no tool',
    grants: [{ permissions: ['servers:use'], resources: ['books'] }],
  })
  const cara = await world.join('cara', ['server-only'])
  const knock = withParams(goodCall('modern', await cara.mint('books'), 'regional'), { arguments: { region: 'eu' } })
  const denied = { status: 200, code: -32602, id: 7, refusal: 'gateway.not-granted' }
  await expectRefused(doors(), knock, denied)
  await expectRefused(doors(), withHeaders(knock, { authorization: `Bearer ${tokens.ben}` }), {
    status: 400,
    code: -32020,
    id: 7,
  })
})

test.each(eras)('18: beyond its rate an address, and a person, is told when to come back (%s)', async (era) => {
  for (const [limit, ownCode] of [
    ['REQUESTS_PER_MINUTE_PER_ADDRESS', 429],
    ['REQUESTS_PER_MINUTE_PER_PRINCIPAL', 429],
  ] as const) {
    const limited = await openDoors({ [`CASTELLAN_LIMITS__${limit}`]: '3' })
    const knock = goodCall(era, limited.tokens.ben)
    for (let count = 0; count < 3; count += 1) expect((await limited.knock(knock)).status).toBe(200)
    const before = limited.arrived()
    const heard = await limited.knock(knock)
    expect(heard).toMatchObject({ status: 429, json: { error: { code: ownCode } } })
    expect(heard.headers['retry-after']).toMatch(/^[1-9]\d?$/)
    expect(limited.arrived()).toBe(before)
  }
})

test.each(eras)(
  '20: on the way back only the answer to this very request passes, in the order it came (%s)',
  async (era) => {
    const { world } = doors()
    const liar = await addLyingUpstream(world)
    const token = await world.ana.mint('liar')
    const knock = { ...goodCall(era, token), path: '/servers/liar/mcp' }
    liar.answer = (asked) => {
      if (asked.method !== 'tools/call') return answerHonestly(asked)
      sendEvent(asked, { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } })
      sendEvent(asked, { id: 'another', result: { content: ['not yours'] } })
      sendEvent(asked, { id: asked.id, result: { content: ['yours'] } })
      sendEvent(asked, { id: asked.id, result: { content: ['too late'] } })
      asked.res.end()
    }
    const heard = await doors().knock(knock)
    expect(heard).toMatchObject({ status: 200, json: { id: 7, result: { content: ['yours'] } } })
    expect(heard.text).toContain('notifications/progress')
    expect(heard.text).not.toMatch(/not yours|too late/)
    liar.answer = (asked) =>
      asked.method === 'tools/call' ? sendResult({ ...asked, id: 7 }, {}) : answerHonestly(asked)
    expect(await doors().knock(knock)).toMatchObject({ status: 200, json: { id: 7, error: { code: -32603 } } })
    await world.ana.api('DELETE', '/upstreams/liar')
  },
)
