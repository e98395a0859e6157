/**
 * A connection breaks in the middle of a payment. Who repeats the call pays twice; who gives up although nothing was sent
 * fails for nothing.
 */
import { expect, vi } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, echoTool } from '../world/servers/lying-upstream.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'

async function addEndpoint(world: World, url: string): Promise<void> {
  const added = await world.ana.api('POST', '/upstreams/liar/endpoints', { url })
  if (added.status !== 201) throw new Error(JSON.stringify(added.body))
}

async function removeEndpoint(world: World, url: string): Promise<void> {
  const { body } = await world.ana.api('GET', '/upstreams/liar/endpoints')
  const found = (body['items'] as { id: string; url: string }[]).find((one) => one.url === url)
  const removed = await world.ana.api('DELETE', `/upstreams/liar/endpoints/${found?.id}`)
  if (removed.status !== 200) throw new Error(JSON.stringify(removed.body))
}

proves(
  'UPS-7',
  'a call whose connection broke after it was sent reaches one endpoint, once, and its caller is told',
  async () => {
    const world = await startWorld()
    const liar = await addLyingUpstream(world)
    const second = await startRecordingUpstream()
    second.tools = [echoTool]
    await addEndpoint(world, second.url)
    liar.answer = (asked) => (asked.method === 'tools/call' ? void asked.res.destroy() : answerHonestly(asked))
    const token = await world.ana.mint('liar')
    const call = () => world.post({ token, upstream: 'liar', message: callTool('echo') })
    const answers = [await call(), await call(), await call(), await call()]
    const failed = answers.filter(({ body }) => 'error' in body)
    expect(failed.length).toBeGreaterThan(0)
    for (const { body } of failed)
      expect(body).toMatchObject({ error: { data: { code: 'gateway.upstream-unreachable' } } })
    expect(liar.of('tools/call')).toHaveLength(failed.length)
    expect(second.calls('tools/call')).toHaveLength(answers.length - failed.length)
    await entriesOf(world, 'event=call.completed', 4)
  },
)

proves('UPS-7', 'a call that could not be sent is answered by another endpoint, and reaches it once', async () => {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  const second = await startRecordingUpstream()
  second.tools = [echoTool]
  await addEndpoint(world, second.url)
  await addEndpoint(world, 'http://127.0.0.1:1/mcp')
  await removeEndpoint(world, liar.url)
  // WHY: an approval counts while one of the addresses it was given at is left.
  await world.ana.api('POST', '/upstreams/liar/tools/approve', { tools: 'all' })
  const token = await world.ana.mint('liar')
  for (let time = 1; time <= 4; time += 1) {
    const answer = await world.post({ token, upstream: 'liar', message: callTool('echo') })
    expect(answer.body).toHaveProperty('result')
    expect(second.calls('tools/call')).toHaveLength(time)
  }
  const entries = await entriesOf(world, 'event=call.completed', 4)
  expect(entries.every(({ outcome }) => outcome === 'succeeded')).toBe(true)
  expect(await world.ledger('&event=upstream.endpoint-removed')).toHaveLength(1)
})

proves('UPS-7', 'a session is never looked for at an endpoint that did not open it', async () => {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  const second = await startRecordingUpstream()
  second.tools = [echoTool]
  await addEndpoint(world, second.url)
  const token = await world.ana.mint('liar')
  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
  }
  let session: string | null = null
  await vi.waitFor(async () => {
    const opened = await world.post({ token, upstream: 'liar', message: initialize })
    session = opened.headers.get('mcp-session-id')
    expect(session).not.toBeNull()
  })
  const headers = { 'mcp-session-id': String(session), 'mcp-protocol-version': '2025-11-25' }
  const before = liar.of('tools/call').length
  for (let time = 0; time < 5; time += 1) {
    const answer = await world.post({ token, upstream: 'liar', message: callTool('echo'), headers })
    expect(answer.body).toHaveProperty('result')
  }
  expect(liar.of('tools/call')).toHaveLength(before)
  expect(second.calls('tools/call')).toHaveLength(5)
  await removeEndpoint(world, second.url)
  liar.answer = answerHonestly
  expect((await world.post({ token, upstream: 'liar', message: callTool('echo'), headers })).status).toBe(404)
  expect(liar.of('tools/call')).toHaveLength(before)
  expect(await entriesOf(world, 'event=upstream.endpoint-removed', 1)).toMatchObject([{ target: { upstream: 'liar' } }])
})
