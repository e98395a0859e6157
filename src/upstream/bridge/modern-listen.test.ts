import { openDatabase } from '#platform/database'
import { expect, onTestFinished, test } from 'vitest'
import { freshSqlite } from '../../../test/world/databases.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { answerAsOfOld, type Asked, startOldServer } from '../../../test/world/servers/old-server.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

type Json = Record<string, unknown>

/** A server whose news are what a test sends; it takes subscriptions to everything but `test://no`. */
async function stage() {
  const server = await startOldServer()
  const streams: Asked[] = []
  server.answer = (asked) => {
    if (asked.httpMethod === 'GET') {
      streams.push(asked)
      return asked.event({ id: 'ping-1', method: 'ping' })
    }
    if (asked.method !== 'resources/subscribe' && asked.method !== 'resources/unsubscribe') return answerAsOfOld(asked)
    if (asked.params['uri'] !== 'test://no') return asked.result({})
    asked.send(200, { jsonrpc: '2.0', id: asked.id, error: { code: -32002, message: 'no' } })
  }
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const world = await openUpstreams(database)
  const upstream = await addUpstream(world, 'old', { url: server.url })
  const client = new ModernClient({ exchange: world.upstreams.exchange, upstream })
  return { server, streams, client }
}

/** Somebody who listens and keeps what is heard. */
async function listen(client: ModernClient, notifications: Json) {
  const hangUp = new AbortController()
  const { frames } = await client.start('subscriptions/listen', { notifications }, { signal: hangUp.signal })
  const heard: Json[] = []
  const ended = (async () => {
    for await (const { body } of frames) heard.push(JSON.parse(body) as Json)
  })()
  await expect.poll(() => heard.length).toBeGreaterThan(0)
  const news = () => heard.slice(1).map(({ method, params }) => [method, (params as Json | undefined)?.['uri']])
  return { heard, news, ended, leave: () => hangUp.abort() }
}

const updated = (uri: string) => ({ method: 'notifications/resources/updated', params: { uri } })
const toolsChanged = { method: 'notifications/tools/list_changed' }

test('two who listen share one stream and one subscription, each hears what they asked for, and the last one ends both', async () => {
  const { server, streams, client } = await stage()
  const one = await listen(client, { toolsListChanged: true, resourceSubscriptions: ['test://a', 'test://no'] })
  const other = await listen(client, { promptsListChanged: true, resourceSubscriptions: ['test://a', 'test://b'] })
  const honoured = (heard: readonly Json[]) => (heard[0]?.['params'] as Json | undefined)?.['notifications']
  expect(honoured(one.heard)).toEqual({ toolsListChanged: true, resourceSubscriptions: ['test://a'] })
  expect(honoured(other.heard)).toEqual({ resourceSubscriptions: ['test://a', 'test://b'] })
  expect(streams).toHaveLength(1)
  expect(server.of('resources/subscribe').map(({ params }) => params['uri'])).toEqual([
    'test://a',
    'test://no',
    'test://b',
  ])
  await expect
    .poll(() => server.arrived.filter(({ id, method }) => id === 'ping-1' && method === undefined))
    .toHaveLength(1)

  for (const message of [toolsChanged, updated('test://a'), updated('test://b'), updated('test://c')]) {
    streams[0]?.event(message)
  }
  await expect.poll(() => other.news().length).toBe(2)
  expect(one.news()).toEqual([
    ['notifications/tools/list_changed', undefined],
    ['notifications/resources/updated', 'test://a'],
  ])
  expect(other.news().map(([, uri]) => uri)).toEqual(['test://a', 'test://b'])
  const ids = [one, other].map(({ heard }) => {
    const tags = heard.map(
      ({ params }) => ((params as Json)['_meta'] as Json)['io.modelcontextprotocol/subscriptionId'],
    )
    return new Set(tags)
  })
  expect(ids.map(({ size }) => size)).toEqual([1, 1])
  expect([...(ids[0] ?? [])]).not.toEqual([...(ids[1] ?? [])])

  one.leave()
  await one.ended
  streams[0]?.event(updated('test://a'))
  await expect.poll(() => other.news().length).toBe(3)
  expect(server.of('resources/unsubscribe')).toEqual([])
  other.leave()
  await other.ended
  await expect.poll(() => server.of('resources/unsubscribe').length).toBe(2)
  expect(server.of('initialize')).toHaveLength(1)
})

test('a stream that the server ends, ends what listens to it in good order', async () => {
  const { streams, client } = await stage()
  const one = await listen(client, { toolsListChanged: true })
  streams[0]?.end()
  await one.ended
  expect(one.heard.at(-1)).toMatchObject({ result: { resultType: 'complete' } })
  const again = await listen(client, { toolsListChanged: true })
  streams[1]?.event(toolsChanged)
  await expect.poll(() => again.news().length).toBe(1)
})

test('a server without a stream of news honours nothing, and says so', async () => {
  const { server, client } = await stage()
  server.answer = answerAsOfOld
  const one = await listen(client, { toolsListChanged: true, resourceSubscriptions: ['test://a'] })
  expect(one.heard[0]).toMatchObject({ params: { notifications: {} } })
  expect(server.of('resources/subscribe')).toEqual([])
})

test('so many resources of such long names are subscribed to, and no more, and none once nobody listens', async () => {
  const { server, client } = await stage()
  const longest = `test://${'x'.repeat(2_048 - 'test://'.length)}`
  const names = [longest, `${longest}x`, ...Array.from({ length: 255 }, (_, at) => `test://${at}`)]
  await listen(client, { resourceSubscriptions: names })
  const subscribed = server.of('resources/subscribe').map(({ params }) => params['uri'])
  expect([subscribed.length, subscribed[0] === longest, subscribed.at(-1)]).toEqual([255, true, 'test://253'])

  const hangUp = new AbortController()
  server.answer = (asked) => {
    if (asked.method === 'resources/subscribe') hangUp.abort()
    asked.result({})
  }
  const resourceSubscriptions = ['new://1', 'new://2']
  await client
    .start('subscriptions/listen', { notifications: { resourceSubscriptions } }, { signal: hangUp.signal })
    .catch(() => undefined)
  expect(server.of('resources/subscribe')).toHaveLength(256)
})
