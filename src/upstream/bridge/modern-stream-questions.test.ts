import { openDatabase } from '#platform/database'
import { expect, onTestFinished, test, vi } from 'vitest'
import { freshSqlite } from '../../../test/world/databases.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { answerAsOfOld, type Asked, startOldServer } from '../../../test/world/servers/old-server.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

type Json = Record<string, unknown>

const question = (id: number) => ({
  id,
  method: 'elicitation/create',
  params: { message: 'Who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } },
})
const accepted = { action: 'accept', content: { name: 'Ada' } }

/** A server of old that asks on its session's own stream, whatever call it is about. */
async function behind() {
  const server = await startOldServer()
  const streams: Asked[] = []
  const calls: Asked[] = []
  server.answer = (asked) => {
    if (asked.httpMethod === 'GET') {
      asked.event({ method: 'notifications/message', params: { level: 'info', data: 'listening' } })
      return void streams.push(asked)
    }
    if (asked.method === 'tools/call') return void calls.push(asked)
    answerAsOfOld(asked)
  }
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const { upstreams, ...world } = await openUpstreams(database, {})
  const upstream = await addUpstream({ upstreams, ...world }, 'old', { url: server.url })
  const client = (capabilities: Json = { elicitation: { form: {} } }, ownerId = 'ada') =>
    new ModernClient({ exchange: upstreams.exchange, upstream, capabilities, ownerId })
  const replies = () =>
    server.arrived.filter(({ body, method }) => body !== '' && method === undefined).map(({ body }) => JSON.parse(body))
  return { server, streams, calls, client, replies }
}

test('a question on the stream of the session is put to its only call, which goes on with the answer', async () => {
  const { streams, calls, client, replies } = await behind()
  const ada = client()
  const asking = ada.call('echo')
  await vi.waitFor(() => expect([streams.length, calls.length]).toEqual([1, 1]))
  streams[0]?.event(question(7))
  const { result } = await asking
  expect(result).toMatchObject({ resultType: 'input_required' })
  const [[key, asked] = ['']] = Object.entries({ ...(result?.['inputRequests'] as Json | undefined) })
  expect(asked).toMatchObject({ method: 'elicitation/create' })
  const goingOn = ada.call('echo', {}, { requestState: result?.['requestState'], inputResponses: { [key]: accepted } })
  await vi.waitFor(() => expect(replies()).toEqual([{ jsonrpc: '2.0', id: 7, result: accepted }]))
  calls[0]?.result({ content: [{ type: 'text', text: 'done' }] })
  expect((await goingOn).result).toMatchObject({ resultType: 'complete', content: [{ text: 'done' }] })
})

test('while two calls are open in the session nobody is asked, and the server is told', async () => {
  const { streams, calls, client, replies } = await behind()
  const ada = client()
  const both = [ada.call('echo'), ada.call('echo')]
  await vi.waitFor(() => expect([streams.length, calls.length]).toEqual([1, 2]))
  streams[0]?.event(question(8))
  await vi.waitFor(() => expect(replies()).toMatchObject([{ id: 8, error: { code: -32601 } }]))
  for (const call of calls) call.result({ content: [] })
  for (const call of both) expect((await call).result).toMatchObject({ resultType: 'complete' })
})

test('a client that declared nothing is not asked, and no stream is opened for it', async () => {
  const { streams, calls, client } = await behind()
  const call = client({}).call('echo')
  await vi.waitFor(() => expect(calls).toHaveLength(1))
  calls[0]?.result({ content: [] })
  await call
  expect(streams).toEqual([])
})

test('a question of another kind than the client declared is refused on the stream, and its call goes on', async () => {
  const { streams, calls, client, replies } = await behind()
  const call = client({ sampling: {} }).call('echo')
  await vi.waitFor(() => expect([streams.length, calls.length]).toEqual([1, 1]))
  streams[0]?.event(question(9))
  await vi.waitFor(() => expect(replies()).toMatchObject([{ id: 9, error: { code: -32601 } }]))
  calls[0]?.result({ content: [] })
  expect((await call).result).toMatchObject({ resultType: 'complete' })
})

test('people have streams of their own: a question in one session reaches nobody in another', async () => {
  const { streams, calls, client } = await behind()
  const ofAda = client().call('echo', { who: 'ada' })
  const ofBen = client(undefined, 'ben').call('echo', { who: 'ben' })
  await vi.waitFor(() => expect([streams.length, calls.length]).toEqual([2, 2]))
  const callOf = (who: string) => calls.find(({ params }) => (params['arguments'] as Json)['who'] === who)
  const sessionOf = (asked?: Asked) => asked?.headers['mcp-session-id']
  expect(sessionOf(callOf('ada'))).not.toBe(sessionOf(callOf('ben')))
  streams.find((one) => sessionOf(one) === sessionOf(callOf('ada')))?.event(question(1))
  expect((await ofAda).result).toMatchObject({ resultType: 'input_required' })
  callOf('ben')?.result({ content: [] })
  expect((await ofBen).result).toMatchObject({ resultType: 'complete' })
})
