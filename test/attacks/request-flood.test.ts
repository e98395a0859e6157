/**
 * A stranger sends as fast as they can, from one address and with headers that claim others; a person who may come in
 * does so with many tokens from many addresses. Others want to be served meanwhile, and somebody has to read the ledger.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { goodHeaders, type Received, send } from '../world/edge/send.ts'
import { callTool } from '../world/messages.ts'

const body = JSON.stringify(callTool('echo'))
const call = { method: 'POST', path: '/servers/books/mcp', body }
const flooder = '127.0.0.9'
const minuteMs = 60_000

async function times<T>(count: number, work: (at: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let at = 0; at < count; at++) results.push(await work(at))
  return results
}

const statuses = (answers: readonly Received[]) => [...new Set(answers.map(({ status }) => status))]

/** The entries about too many requests, once there are so many. */
function rateEntries(world: World, count: number, event: 'call.refused' | 'admin.refused' = 'call.refused') {
  const room = event === 'call.refused' ? 'gateway' : 'admin'
  return entriesOf(world, `event=${event}&refusal=${room}.rate-exceeded`, count)
}

proves('LIM-1', 'from the limit on an address is told to come back, on every path, and others are served', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS: '20' } })
  const honest = await goodHeaders(world)
  const paths = [call.path, '/', '/.well-known/oauth-protected-resource/servers/books/mcp', '/servers/nobody/mcp']
  const knock = (at: number) =>
    send(world.gatewayUrl, {
      from: flooder,
      path: paths[at % paths.length] ?? '/',
      headers: { 'x-forwarded-for': `198.51.100.${at}`, forwarded: `for=198.51.100.${at}` },
    })
  const within = await times(20, knock)
  expect(statuses(within).sort()).toEqual([200, 401, 404])
  const beyond = await times(200, knock)
  expect(statuses(beyond)).toEqual([429])
  for (const { headers, text } of [beyond[0], beyond.at(-1)] as Received[]) {
    expect(headers['retry-after']).toBe('60')
    expect(JSON.parse(text)).toMatchObject({ error: { code: 429, data: { code: 'gateway.rate-exceeded' } } })
    expect((JSON.parse(text) as { id?: unknown }).id ?? null).toBeNull()
  }
  expect(beyond[0]?.headers).toHaveProperty('castellan-entry')
  expect((await send(world.gatewayUrl, { ...call, headers: honest })).status).toBe(200)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  expect(await rateEntries(world, 1)).toMatchObject([{ address: flooder, details: { guard: 'spend-address-rate' } }])

  world.clock.advance(30_500)
  expect((await knock(0)).headers['retry-after']).toBe('30')
  world.clock.advance(29_500)
  expect(statuses([await knock(0)])).toEqual([401])
  const [first, more] = await rateEntries(world, 2)
  expect(first?.details).not.toHaveProperty('count')
  expect(more).toMatchObject({ address: flooder, details: { source: flooder, count: 200 } })
})

proves('LIM-1', 'the end of a minute is recorded also when nobody comes any more', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS: '5' } })
  await times(12, () => send(world.gatewayUrl, { from: flooder }))
  world.clock.advance(minuteMs)
  expect((await rateEntries(world, 2))[1]).toMatchObject({ details: { count: 6 } })
})

proves(['LIM-1', 'LED-3'], 'requests that are refused anyway do not fill the ledger either', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS: '10' } })
  const answers = await times(100, () =>
    send(world.gatewayUrl, { ...call, from: flooder, headers: { host: 'evil.example' } }),
  )
  expect(statuses(answers)).toEqual([403])
  expect(await world.ledger('&event=call.refused')).toHaveLength(11)
  world.clock.advance(minuteMs)
  await send(world.gatewayUrl, { from: flooder })
  expect(await rateEntries(world, 1)).toMatchObject([{ address: flooder, details: { count: 89 } }])
})

proves('LIM-1', 'one person has one allowance, with however many tokens and from however many addresses', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_PRINCIPAL: '10' } })
  const ben = await world.join('ben', [reader])
  const ana = await goodHeaders(world)
  const tokens = await times(4, () => ben.mint('books'))
  const asBen = (at: number) =>
    send(world.gatewayUrl, {
      ...call,
      from: `127.0.0.${10 + at}`,
      headers: { ...ana, authorization: `Bearer ${tokens[at % tokens.length]}` },
    })
  expect(statuses(await times(10, asBen))).toEqual([200])
  const beyond = await times(30, asBen)
  expect(statuses(beyond)).toEqual([429])
  expect(beyond[0]?.headers['retry-after']).toBe('60')
  expect((await send(world.gatewayUrl, { ...call, headers: ana })).status).toBe(200)
  expect(world.books.calls('tools/call')).toHaveLength(11)
  world.clock.advance(minuteMs)
  expect((await asBen(0)).status).toBe(200)
  expect(world.books.calls('tools/call')).toHaveLength(12)
  expect(await rateEntries(world, 2)).toMatchObject([
    { principal: { name: 'ben' }, details: { guard: 'spend-principal-rate' } },
    { principal: { name: 'ben' }, details: { count: 29 } },
  ])
})

proves('LIM-1', 'the admin listener has an allowance of its own, for pages, health and guesses alike', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS: '10' } })
  const paths = ['/livez', '/setup', '/api/v1/me', '/nothing']
  const knock = (at: number) => send(world.adminUrl, { from: flooder, path: paths[at % paths.length] ?? '/' })
  expect(statuses(await times(100, knock)).sort()).toEqual([200, 401, 404])
  const beyond = await times(50, knock)
  expect(statuses(beyond)).toEqual([429])
  expect(beyond[0]?.headers['retry-after']).toBe('60')
  expect(JSON.parse(beyond[0]?.text ?? '')).toMatchObject({ code: 'admin.rate-exceeded', retry_after_seconds: 60 })
  expect((await world.ana.api('GET', '/me')).status).toBe(200)
  expect((await send(world.gatewayUrl, { from: flooder })).status).toBe(404)
  expect(await rateEntries(world, 1, 'admin.refused')).toMatchObject([{ address: flooder }])
  world.clock.advance(minuteMs)
  expect((await knock(0)).status).toBe(200)
  expect(await rateEntries(world, 2, 'admin.refused')).toMatchObject([
    { address: flooder },
    { address: flooder, details: { count: 49 } },
  ])
})
