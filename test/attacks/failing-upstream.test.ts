/**
 * An upstream breaks: it answers with errors of its own, or not at all, and each call that waits for it holds a place that
 * others need. It is not asked for a while, its callers are told at once, and one call finds out when it is back.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked } from '../world/servers/lying-upstream.ts'

const unavailable = { error: { code: -32603, data: { code: 'gateway.upstream-unavailable' } } }

/** Breaks the connection of every call. */
const breakCalls = (asked: Asked): void =>
  asked.method === 'tools/call' ? void asked.res.destroy() : answerHonestly(asked)

async function start() {
  const world = await startWorld({ env: { CASTELLAN_UPSTREAMS__BREAKER_FAILURES: '5' } })
  const liar = await addLyingUpstream(world)
  const token = await world.ana.mint('liar')
  const call = () => world.post({ token, upstream: 'liar', message: callTool('echo') })
  const fail = async (times: number) => {
    for (let time = 0; time < times; time += 1) await call()
  }
  return { world, liar, call, fail }
}

proves('UPS-6', 'after five failures in a row its calls are refused at once, before anything is sent', async () => {
  const { world, liar, call, fail } = await start()
  liar.answer = (asked) => (asked.method === 'tools/call' ? void asked.res.writeHead(500).end() : answerHonestly(asked))
  await fail(4)
  expect((await call()).body).toMatchObject({ error: { data: { code: 'gateway.upstream-misbehaved' } } })
  const startedAt = performance.now()
  const refused = await call()
  expect(performance.now() - startedAt).toBeLessThan(500)
  expect(refused.body).toMatchObject(unavailable)
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(liar.of('tools/call')).toHaveLength(5)
  expect(await entriesOf(world, 'event=upstream.breaker-opened', 1)).toMatchObject([
    { target: { upstream: 'liar' }, details: { cause: '500' } },
  ])
  expect(await entriesOf(world, 'refusal=gateway.upstream-unavailable', 1)).toMatchObject([{ outcome: 'failed' }])
})

proves(
  'UPS-6',
  'after a minute one call tries it, the others are refused meanwhile, and a good answer lets all pass',
  async () => {
    const { world, liar, call, fail } = await start()
    liar.answer = breakCalls
    await fail(5)
    expect((await call()).body).toMatchObject(unavailable)
    world.clock.advance(59_000)
    expect((await call()).body).toMatchObject(unavailable)
    world.clock.advance(1_000)
    const before = liar.bodies().length
    liar.answer = (asked) => void setTimeout(() => answerHonestly(asked), 500)
    const calling = [call(), call(), call(), call(), call(), call()]
    await sleep(250)
    // WHY: what is sent first may be the question for tools that goes before a call.
    expect(liar.bodies()).toHaveLength(before + 1)
    await Promise.all(calling)
    expect((await call()).body).toHaveProperty('result')
    await entriesOf(world, 'event=upstream.breaker-closed', 1)
  },
)

proves('UPS-6', 'a try that fails keeps it closed off for another minute', async () => {
  const { world, liar, call, fail } = await start()
  liar.answer = breakCalls
  await fail(5)
  world.clock.advance(60_000)
  liar.answer = ({ res }) => void res.destroy()
  const before = liar.bodies().length
  await call()
  const refused = await call()
  expect(refused.body).toMatchObject(unavailable)
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(liar.bodies()).toHaveLength(before + 1)
})

proves('UPS-6', 'nobody can bring this about with a request that the upstream finds wrong, or by leaving', async () => {
  const { world, liar, call, fail } = await start()
  liar.answer = (asked) => {
    if (asked.method !== 'tools/call') return answerHonestly(asked)
    const error = { code: -32602, message: 'no such argument' }
    asked.res.writeHead(400, { 'content-type': 'application/json' })
    asked.res.end(JSON.stringify({ jsonrpc: '2.0', id: asked.id, error }))
  }
  await fail(8)
  const token = await world.ana.mint('liar')
  liar.answer = (asked) => (asked.method === 'tools/call' ? undefined : answerHonestly(asked))
  for (let time = 0; time < 6; time += 1) {
    const signal = AbortSignal.timeout(100)
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' }
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {}, _meta } }
    await world.post({ token, upstream: 'liar', message, headers, signal }).catch(() => undefined)
  }
  liar.answer = answerHonestly
  expect((await call()).body).toHaveProperty('result')
  expect(await world.ledger('&event=upstream.breaker-opened')).toEqual([])
})
