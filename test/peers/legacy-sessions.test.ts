import { setTimeout as sleep } from 'node:timers/promises'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startWorld } from '../world/castellan.ts'
import { putBehind, startEverythingHttp } from '../world/servers/peers.ts'
import { startSessionServer } from '../world/servers/session-server.ts'

interface Event {
  readonly id: string
  readonly message: { id?: unknown; method?: string; result?: unknown; params?: Record<string, unknown> }
}

async function* eventsOf(response: Response): AsyncGenerator<Event> {
  let [id, text] = ['', '']
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('id: ')) id = line.slice('id: '.length)
      if (line.startsWith('data: {')) yield { id, message: JSON.parse(line.slice('data: '.length)) as Event['message'] }
    }
  }
}

/** A legacy client by hand: each request as the test says it. */
function byHand(url: string, token: string) {
  const send = (method: string, headers: Record<string, string>, message?: unknown) => {
    const ended = new AbortController()
    onTestFinished(() => ended.abort())
    const given = {
      authorization: `Bearer ${token}`,
      accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2025-11-25',
      ...headers,
    }
    const body = message === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }
    const response = fetch(url, { method, headers: given, signal: ended.signal, ...body })
    return { response, hangUp: () => ended.abort() }
  }
  const openSession = async (): Promise<Record<string, string>> => {
    const clientInfo = { name: 'by hand', version: '1' }
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    const opened = await send('POST', {}, { id: 0, method: 'initialize', params }).response
    await opened.text()
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
    await send('POST', session, { method: 'notifications/initialized' }).response
    return session
  }
  return { send, openSession }
}

async function behind(upstream: string) {
  const world = await startWorld()
  const { token } = await putBehind(world.ana, 'legacy', { url: upstream })
  const url = `${world.gatewayUrl}/servers/legacy/mcp`
  return { world, token, url, ...byHand(url, token) }
}

async function firstOf(events: AsyncGenerator<Event>, isWanted: (event: Event) => boolean): Promise<Event> {
  for await (const event of events) if (isWanted(event)) return event
  throw new Error('the stream ended before')
}

const longCall = {
  method: 'tools/call',
  params: {
    name: 'trigger-long-running-operation',
    arguments: { duration: 1, steps: 4 },
    _meta: { progressToken: 'long' },
  },
}

test('notifications of server-everything that belong to no request arrive on the GET stream of their session only', async () => {
  const { send, openSession } = await behind(await startEverythingHttp())
  const [first, second] = [await openSession(), await openSession()]
  const heard: unknown[] = []
  const stranger = await send('GET', second).response
  void (async () => {
    for await (const { message } of eventsOf(stranger)) heard.push(message)
  })().catch(() => undefined)
  const stream = eventsOf(await send('GET', first).response)
  const call = { id: 1, method: 'tools/call', params: { name: 'toggle-simulated-logging', arguments: {} } }
  const answered = send('POST', first, call).response
  const { message } = await firstOf(stream, (event) => event.message.method === 'notifications/message')
  expect(JSON.stringify(message)).toContain('level')
  expect(await (await answered).text()).toContain('Started')
  expect(heard.filter((one) => JSON.stringify(one).includes('SessionId'))).toEqual([])
})

test('a call whose stream broke off is resumed with Last-Event-ID, its response under the id the client gave it', async () => {
  const { send, openSession, world } = await behind(await startEverythingHttp())
  const session = await openSession()
  const call = send('POST', session, { id: 'mine', ...longCall })
  const broken = await firstOf(
    eventsOf(await call.response),
    ({ id, message }) => id !== '' && message.params !== undefined,
  )
  call.hangUp()
  await sleep(1_500)
  const resumed = send('GET', { ...session, 'last-event-id': broken.id }).response
  const events: Event[] = []
  for await (const event of eventsOf(await resumed)) {
    events.push(event)
    if (event.message.result !== undefined) break
  }
  expect(events.map(({ message }) => message.params?.['progress']).slice(0, -1)).toEqual([2, 3, 4])
  expect(events.at(-1)?.message).toMatchObject({ id: 'mine', result: { content: [{ type: 'text' }] } })
  const other = await send('GET', { ...(await openSession()), 'last-event-id': broken.id }).response
  expect(other.status).toBe(400)
  const ben = await world.join('ben', ['admin'])
  const stolen = byHand(`${world.gatewayUrl}/servers/legacy/mcp`, await ben.mint('legacy'))
  expect((await stolen.send('GET', { ...session, 'last-event-id': broken.id }).response).status).toBe(404)
  const own = await stolen.openSession()
  expect((await stolen.send('GET', { ...own, 'last-event-id': broken.id }).response).status).toBe(400)
})

test('a response that comes on a resumed stream is withheld when the call is no longer granted', async () => {
  const { send, openSession, world } = await behind(await startEverythingHttp())
  const session = await openSession()
  const call = send('POST', session, { id: 'mine', ...longCall })
  const broken = await firstOf(
    eventsOf(await call.response),
    ({ id, message }) => id !== '' && message.params !== undefined,
  )
  call.hangUp()
  await sleep(1_500)
  const subject = `legacy/${longCall.params.name}`
  await world.ana.api('POST', '/holds', { kind: 'tool', subject, reason: 'looking into it' })
  const heard: Event[] = []
  void (async () => {
    const resumed = await send('GET', { ...session, 'last-event-id': broken.id }).response
    for await (const event of eventsOf(resumed)) heard.push(event)
  })().catch(() => undefined)
  await vi.waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(3), 5_000)
  await sleep(300)
  expect(heard.filter(({ message }) => message.result !== undefined)).toEqual([])
})

test('the official client gets an answer that its server sends only after it hung up the stream of the call', async () => {
  const server = await startSessionServer()
  const { url, token } = await behind(server.url)
  const connect = async (place: string, headers: Record<string, string>) => {
    const client = new Client({ name: 'today', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL(place), { requestInit: { headers } }))
    onTestFinished(() => client.close())
    return client
  }
  const direct = await connect(server.url, {})
  const client = await connect(url, { authorization: `Bearer ${token}` })
  const answer = await client.callTool({ name: 'hang_up' })
  expect(answer).toEqual(await direct.callTool({ name: 'hang_up' }))
  expect(answer.content).toEqual([{ type: 'text', text: 'answered after all' }])
})

test('ending a session ends it at the server, and nobody can use it again', async () => {
  const server = await startSessionServer()
  const { send, openSession } = await behind(server.url)
  const session = await openSession()
  const before = server.openSessions()
  expect((await send('DELETE', session).response).status).toBe(200)
  expect(server.openSessions()).toBe(before - 1)
  expect((await send('POST', session, { id: 1, method: 'ping' }).response).status).toBe(404)
  expect((await send('GET', session).response).status).toBe(404)
  expect((await send('DELETE', session).response).status).toBe(404)
})

test('a session that the server forgot is 404 to the client, in the words of the server, and a new one works', async () => {
  const server = await startSessionServer()
  const { url, token, send, openSession } = await behind(server.url)
  const connect = async () => {
    const client = new Client({ name: 'today', version: '1' })
    const headers = { authorization: `Bearer ${token}` }
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
    onTestFinished(() => client.close())
    return client
  }
  const client = await connect()
  const session = await openSession()
  server.expire()
  const refused = await send('POST', session, { id: 1, method: 'tools/list' }).response
  expect(refused.status).toBe(404)
  expect(await refused.json()).toEqual({
    jsonrpc: '2.0',
    error: { code: -32001, message: 'Session not found' },
    id: null,
  })
  await expect(client.listTools()).rejects.toMatchObject({ status: 404 })
  expect((await (await connect()).listTools()).tools.map((tool) => tool.name)).toEqual(['hang_up'])
})
