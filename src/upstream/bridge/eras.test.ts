import { openDatabase } from '#platform/database'
import { expect, onTestFinished, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { freshSqlite } from '../../../test/world/databases.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { answerAsOfOld, type Asked, startOldServer } from '../../../test/world/servers/old-server.ts'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

type Json = Record<string, unknown>

const verdictMs = 10 * 60_000
const discovered = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  ttlMs: 0,
  cacheScope: 'private',
}

/** A server of both eras that refuses a handshake without a revision, and forgets its sessions when it is told to. */
function answerAsBoth(isForgetful: () => boolean) {
  return (asked: Asked): void => {
    if (asked.method === 'server/discover') return asked.result(discovered)
    if (asked.method === 'initialize' && asked.params['protocolVersion'] === undefined) {
      return asked.send(400, { jsonrpc: '2.0', id: asked.id, error: { code: -32602, message: 'which revision?' } })
    }
    if (asked.headers['mcp-session-id'] !== undefined && isForgetful()) return asked.send(404)
    answerAsOfOld(asked)
  }
}

async function behind() {
  const server = await startOldServer()
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const clock = createTestClock(Date.now())
  const { upstreams } = await openUpstreams(database, { clock })
  const upstream = await addUpstream({ upstreams } as never, 'some', { url: server.url })
  const { exchange } = upstreams
  const legacy = (ownerId = 'ada') => new UpstreamCaller({ exchange, upstream, ownerId })
  const modern = (deadlineMs = 15_000) => new ModernClient({ exchange, upstream, deadlineMs })
  return { server, clock, legacy, modern }
}

/** A handshake as no client should make it. */
const isRefused = { status: 400, error: { code: -32602 } }

test('a bad handshake of one client at a server of both eras takes no session from another', async () => {
  const { server, clock, legacy } = await behind()
  server.answer = answerAsBoth(() => false)
  expect(await legacy('mallory').ask('initialize', {})).toMatchObject(isRefused)
  const ada = legacy()
  await ada.open()
  for (const _time of [1, 2]) {
    clock.advance(verdictMs + 1)
    expect(await legacy('mallory').ask('initialize', {})).toMatchObject(isRefused)
    expect((await ada.ask('tools/list')).status).toBe(200)
    expect(server.of('tools/list').at(-1)?.headers['mcp-session-id']).toBe(ada.sessionId)
  }
})

test('a session that a server of both eras forgot is one lost session, and the server is still spoken to in both', async () => {
  const { server, clock, legacy } = await behind()
  let isForgetful = false
  server.answer = answerAsBoth(() => isForgetful)
  const [ada, ben] = [legacy(), legacy('ben')]
  await ada.open()
  await ben.open()
  clock.advance(verdictMs + 1)
  isForgetful = true
  expect((await ada.ask('tools/list')).status).toBe(404)
  isForgetful = false
  expect((await ben.ask('tools/list')).status).toBe(200)
  expect((await ada.open()).result).toMatchObject({ serverInfo: { name: 'scripted' } })
  await expect.poll(() => server.arrived.filter(({ httpMethod }) => httpMethod === 'DELETE').length).toBe(1)
})

test('a server that knows sessions no more is served by a face from the next request on', async () => {
  const { server, clock, legacy } = await behind()
  const ada = legacy()
  await ada.open()
  server.answer = (asked) => {
    const meta = asked.params['_meta'] as Json | undefined
    if (meta === undefined)
      return asked.send(400, { jsonrpc: '2.0', id: asked.id, error: { code: -32602, message: '' } })
    asked.result(asked.method === 'server/discover' ? discovered : { ...discovered, tools: [] })
  }
  clock.advance(verdictMs + 1)
  expect((await ada.ask('tools/list')).status).toBe(404)
  await ada.open()
  expect((await ada.ask('tools/list')).result).toMatchObject({ tools: [] })
})

test('a probe that is answered with something else for ever is over soon after its deadline', async () => {
  const { server, modern } = await behind()
  server.answer = (asked) => {
    const timer = setInterval(() => asked.event({ method: 'notifications/message', params: {} }), 20)
    onTestFinished(() => clearInterval(timer))
  }
  await expect(modern(300).call('x')).rejects.toMatchObject({ code: 'upstream.timeout' })
  server.answer = answerAsOfOld
  expect((await modern().call('x')).status).toBe(200)
}, 10_000)
