/**
 * An operator runs castellan under a supervisor, behind a load balancer, with a monitoring system: who of them is told
 * what, while it starts, works, loses its ledger, and is stopped.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { startOtlpCollector, type TracedSpan } from '../world/servers/otlp-collector.ts'

async function health(world: World, path: string, token?: string) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(`${world.adminUrl}${path}`, { headers })
  return { status: response.status, text: await response.text() }
}

async function until<T>(look: () => T | undefined | Promise<T | undefined>, withinMs = 10_000): Promise<T> {
  for (const deadline = performance.now() + withinMs; ; await sleep(20)) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error('it did not come about in time')
  }
}

const becomes = (world: World, path: string, status: number) =>
  until(async () => ((await health(world, path)).status === status ? true : undefined))

test('health is yes or no to anybody, and what was checked to whoever is signed in', async () => {
  const world = await startWorld()
  for (const path of ['/livez', '/readyz', '/startupz', '/readyz?verbose'])
    expect(await health(world, path)).toEqual({ status: 200, text: 'ok\n' })
  const head = await fetch(`${world.adminUrl}/readyz`, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect((await health(world, '/readyz?verbose', await world.ana.mint('books'))).text).toBe('ok\n')
  const verbose = await health(world, '/readyz?verbose', world.ana.sessionToken())
  expect(JSON.parse(verbose.text)).toMatchObject({
    status: 'ready',
    checks: { started: true, taking: true, ledger: true, database: true, policy: true },
  })
  expect(await world.ledger('&event=admin.refused')).toHaveLength(0)
  expect(world.logLines.filter((line) => line.includes('livez') || line.includes('readyz'))).toHaveLength(0)
})

test('without its ledger it lives but is not ready, says so in the log, and is ready again by itself', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const holder = new DatabaseSync(join(world.dataDir, 'ledger.db'), { timeout: 5_000 })
  holder.exec('BEGIN IMMEDIATE')
  await world.post({ token, message: callTool('echo') })
  await becomes(world, '/readyz', 503)
  expect((await health(world, '/livez')).status).toBe(200)
  expect((await health(world, '/startupz')).status).toBe(200)
  await until(() => world.logLines.find((line) => line.includes('"event.name":"ledger.lost"')))
  holder.exec('ROLLBACK')
  holder.close()
  await becomes(world, '/readyz', 200)
  await until(() => world.logLines.find((line) => line.includes('"event.name":"ledger.recovered"')))
})

test('while it is stopped it is not ready, alive, and answers what it has begun', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const answer = world.post({ token, message: callTool('slow') })
  await until(() => (world.books.calls('tools/call').length === 1 ? true : undefined))
  const stopped = world.stop()
  await becomes(world, '/readyz', 503)
  expect((await health(world, '/livez')).status).toBe(200)
  world.books.finishSlow('at last')
  expect((await answer).status).toBe(200)
  await stopped
  const events = world.logLines.map((line) => (JSON.parse(line) as Record<string, string>)['event.name'])
  expect(events.filter((name) => name?.startsWith('castellan.'))).toEqual([
    'castellan.starting',
    'castellan.started',
    'castellan.draining',
    'castellan.stopped',
  ])
})

const trace = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'
const traceparent = `00-${trace}-${parent}-01`

function pairOf(spans: readonly TracedSpan[], traceId: string) {
  const of = spans.filter((span) => span.traceId === traceId)
  return { server: of.find(({ kind }) => kind === 2), client: of.find(({ kind }) => kind === 3), count: of.length }
}

test('a call is a span under the one of its caller, with a span for its upstream below, in the ledger and upstream', async () => {
  const collector = await startOtlpCollector()
  const world = await startWorld({ env: { CASTELLAN_TELEMETRY__OTLP_ENDPOINT: collector.url } })
  const token = await world.ana.mint('books')
  const params = { name: 'echo', arguments: { text: 'hello' } }
  const inMeta = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta: { traceparent } } }
  await world.post({ token, message: inMeta, headers: { traceparent: `00-${'1'.repeat(32)}-${parent}-01` } })
  const { server, client, count } = await until(() => {
    const pair = pairOf(collector.spans(), trace)
    return pair.count === 2 ? pair : undefined
  })
  expect(server).toMatchObject({ name: 'tools/call books__echo', parentSpanId: parent })
  expect(server?.attributes).toMatchObject({
    'mcp.method.name': 'tools/call',
    'mcp.protocol.version': '2025-03-26',
    'network.transport': 'tcp',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'books__echo',
    'castellan.server': 'books',
  })
  expect(client).toMatchObject({ name: 'tools/call books__echo', parentSpanId: server?.spanId })
  expect(Number(client?.startTimeUnixNano)).toBeGreaterThanOrEqual(Number(server?.startTimeUnixNano))
  expect(Number(client?.endTimeUnixNano)).toBeLessThanOrEqual(Number(server?.endTimeUnixNano))
  expect(count).toBe(2)
  const [arrived] = world.books.calls('tools/call')
  expect(arrived?.headers['traceparent']).toBe(`00-${trace}-${client?.spanId}-01`)
  const entries = (await world.ledger()).filter(({ details }) => details?.['trace'] === trace)
  expect(entries.map(({ event }) => event)).toEqual(['call.intended', 'call.completed'])
  expect(collector.resource('/v1/traces')).toMatchObject({ 'service.name': 'castellan', 'service.version': '0.1.0' })
})

test('the header counts where the message has no trace; a trace that is none begins a new one', async () => {
  const collector = await startOtlpCollector()
  const world = await startWorld({ env: { CASTELLAN_TELEMETRY__OTLP_ENDPOINT: collector.url } })
  const token = await world.ana.mint('books')
  await world.post({ token, message: callTool('echo'), headers: { traceparent } })
  const hostile = [
    '00-'.padEnd(100_000, 'f'),
    `00-${'0'.repeat(32)}-${parent}-01`,
    { toString: 1 },
    7,
    null,
    [traceparent],
  ]
  for (const given of hostile) {
    const params = { name: 'echo', arguments: {}, _meta: { traceparent: given } }
    const answer = await world.post({ token, message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params } })
    expect(answer.status).toBe(200)
  }
  const servers = await until(() => {
    const spans = collector.spans().filter(({ kind }) => kind === 2)
    return spans.length === hostile.length + 1 ? spans : undefined
  })
  expect(servers.filter(({ parentSpanId }) => parentSpanId === parent)).toHaveLength(1)
  expect(new Set(servers.map(({ traceId }) => traceId)).size).toBe(hostile.length + 1)
})

test('a stranger makes no span and joins no trace; nobody is traced beyond the share, and who asks not to be is not', async () => {
  const collector = await startOtlpCollector()
  const env = { CASTELLAN_TELEMETRY__OTLP_ENDPOINT: collector.url }
  const world = await startWorld({ env })
  const none = await startWorld({ env: { ...env, CASTELLAN_TELEMETRY__TRACE_SAMPLING: '0' } })
  const token = await world.ana.mint('books')
  await world.post({ message: callTool('echo'), headers: { traceparent } })
  await world.post({ token, message: callTool('echo'), headers: { traceparent: traceparent.replace(/01$/, '00') } })
  await none.post({ token: await none.ana.mint('books'), message: callTool('echo'), headers: { traceparent } })
  const last = modern({ method: 'tools/call', params: { name: 'echo', arguments: {} } })
  await world.post({ token, message: { jsonrpc: '2.0', id: 1, ...last.message }, headers: last.headers })
  await world.stop()
  await none.stop()
  expect(collector.spans().map(({ traceId }) => traceId)).not.toContain(trace)
  expect(collector.spans().map(({ name }) => name)).toEqual(['tools/call books__echo', 'tools/call books__echo'])
})
