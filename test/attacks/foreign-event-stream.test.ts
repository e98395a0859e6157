/**
 * In the HTTP with SSE of 2024-11-05 the answers go to whoever holds the event stream, and messages are posted to a URL
 * that ends up in logs (CVE-2025-6515 is of this kind). Mallory has the URL that Ben's client was told; she posts to it
 * with her own token, at another server, and after Ben has gone. Then she tries whether messages that are posted there
 * are judged as elsewhere.
 */
import { expect, onTestFinished, vi } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool, initialize, modern } from '../world/messages.ts'

interface Stream {
  readonly status: number
  /** Where messages are posted. */
  readonly endpoint: string
  readonly messages: Record<string, unknown>[]
  isEnded(): boolean
  close(): void
}

function take(text: string, into: { endpoint: string; messages: Record<string, unknown>[] }): void {
  const data = /^data: (.*)$/m.exec(text)?.[1]
  if (data === undefined) return
  if (text.startsWith('event: endpoint')) into.endpoint = data
  else into.messages.push(JSON.parse(data) as Record<string, unknown>)
}

async function open(world: World, token: string | undefined, server = 'books'): Promise<Stream> {
  const hangUp = new AbortController()
  onTestFinished(() => hangUp.abort())
  const response = await fetch(`${world.gatewayUrl}/servers/${server}/sse`, {
    headers: { accept: 'text/event-stream', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    signal: hangUp.signal,
  })
  const into = { endpoint: '', messages: [] as Record<string, unknown>[] }
  let isEnded = false
  const read = async (): Promise<void> => {
    let rest = ''
    for await (const chunk of response.body ?? []) {
      const parts = (rest + Buffer.from(chunk).toString('utf8')).split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts) take(part, into)
    }
  }
  void read()
    .catch(() => undefined)
    .finally(() => (isEnded = true))
  if (response.status === 200) await vi.waitFor(() => expect(into.endpoint).not.toBe(''))
  const { status } = response
  return {
    status,
    get endpoint() {
      return into.endpoint
    },
    messages: into.messages,
    isEnded: () => isEnded,
    close: () => hangUp.abort(),
  }
}

async function post(world: World, endpoint: string, token: string | undefined, message: unknown, headers = {}) {
  const response = await fetch(`${world.gatewayUrl}${endpoint}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: JSON.stringify(message),
  })
  return { status: response.status, text: await response.text() }
}

async function start(env: Record<string, string> = {}) {
  const world = await startWorld({ env })
  const [ben, mallory] = [await world.join('ben', [reader]), await world.join('mallory', [reader])]
  return { world, ben, tokens: { ben: await ben.mint('books'), mallory: await mallory.mint('books') } }
}

const answerTo = (stream: Stream, id: unknown) =>
  vi.waitFor(() => {
    const found = stream.messages.find((message) => message['id'] === id)
    if (found === undefined) throw new Error(`no answer to ${String(id)}`)
    return found
  })

proves(['SES-7', 'SES-1'], "nothing is posted to another person's stream, nor to one that is over", async () => {
  const { world, ben, tokens } = await start()
  const stream = await open(world, tokens.ben)
  const asked = (await post(world, stream.endpoint, tokens.ben, callTool('echo', 'mine', 1))).status
  expect([asked, (await answerTo(stream, 1))['result']]).toEqual([202, expect.anything()])
  const bent = [
    `${stream.endpoint}A`,
    stream.endpoint.replace(/.{6}$/, 'AAAAAA'),
    '/servers/books/messages',
    '/servers/books/messages?channel=x',
  ]
  const answers = new Set<number>()
  for (const endpoint of [stream.endpoint, ...bent]) {
    answers.add((await post(world, endpoint, tokens.mallory, callTool('echo', 'hers', 2))).status)
  }
  expect([...answers]).toEqual([404])
  await world.ana.api('POST', '/upstreams', { name: 'twin', url: world.books.url })
  await world.ana.api('PUT', '/roles/twin-user', { grants: [{ permissions: ['servers:use'], resources: ['twin'] }] })
  await world.ana.api('PUT', '/people/ben/roles', { roles: [reader, 'twin-user'] })
  const atTwin = stream.endpoint.replace('/books/', '/twin/')
  expect((await post(world, atTwin, await ben.mint('twin'), callTool('echo', 'else', 3))).status).toBe(404)
  stream.close()
  await vi.waitFor(async () =>
    expect((await post(world, stream.endpoint, tokens.ben, callTool('secret_tool', 'late', 4))).status).toBe(404),
  )
  expect(world.books.calls('tools/call')).toHaveLength(1)
  expect(stream.messages).toHaveLength(1)
  expect(await world.ledger('&refusal=gateway.session-unknown')).not.toHaveLength(0)
})

proves(
  ['SES-7', 'AUT-7', 'POL-1', 'LED-1'],
  'a stream and each message for it pass the guards of any request',
  async () => {
    const { world, tokens } = await start()
    expect((await open(world, undefined)).status).toBe(401)
    expect((await open(world, tokens.ben, 'nowhere')).status).toBe(401)
    const stream = await open(world, tokens.ben)
    expect((await post(world, stream.endpoint, undefined, callTool('echo'))).status).toBe(401)
    expect(
      (await post(world, stream.endpoint, tokens.ben, callTool('echo'), { origin: 'https://evil.example' })).status,
    ).toBe(403)
    expect((await post(world, stream.endpoint, tokens.ben, [callTool('echo')])).status).toBe(400)
    const { message, headers } = modern(callTool('echo') as never)
    expect((await post(world, stream.endpoint, tokens.ben, message, headers)).status).toBe(400)
    expect((await post(world, '/servers/books/sse', tokens.ben, callTool('echo'))).status).toBe(405)
    expect(world.books.calls('tools/call')).toEqual([])
    expect((await post(world, stream.endpoint, tokens.ben, callTool('secret_tool', 'x', 5))).status).toBe(202)
    expect(await answerTo(stream, 5)).toMatchObject({ error: { code: -32602, data: { code: 'gateway.not-granted' } } })
    await post(world, stream.endpoint, tokens.ben, callTool('echo', 'x', 6))
    await answerTo(stream, 6)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    const intended = await world.ledger('&event=call.intended')
    expect(intended.map(({ details }) => details?.['method'])).toEqual(['GET', 'tools/call'])
    await entriesOf(world, 'event=call.completed', 1)
  },
)

proves(['SES-7', 'POL-3'], 'a hold ends the stream, and with it the session at the server', async () => {
  const { world, tokens } = await start()
  const stream = await open(world, tokens.ben)
  await post(world, stream.endpoint, tokens.ben, initialize)
  await answerTo(stream, 'init')
  await world.ana.api('POST', '/holds', { kind: 'person', subject: 'ben', reason: 'incident' })
  await vi.waitFor(() => expect(stream.isEnded()).toBe(true))
  expect((await post(world, stream.endpoint, tokens.ben, callTool('echo'))).status).toBe(404)
  expect((await open(world, tokens.ben)).status).toBe(403)
  await vi.waitFor(() => expect(world.books.arrived.some(({ httpMethod }) => httpMethod === 'DELETE')).toBe(true))
  await entriesOf(world, 'event=call.cut', 1)
})

proves(['SES-7', 'LIM-2'], 'as many streams as a person may have are open; one more is refused', async () => {
  const { world, tokens } = await start({ CASTELLAN_LIMITS__OPEN_STREAMS_PER_PRINCIPAL: '2' })
  expect((await open(world, tokens.ben)).status).toBe(200)
  expect((await open(world, tokens.ben)).status).toBe(200)
  expect((await open(world, tokens.ben)).status).toBe(429)
  expect((await open(world, tokens.mallory)).status).toBe(200)
})

proves(['SES-7', 'POL-1'], 'a stream to a server that no role grants does not open', async () => {
  const { world } = await start()
  const eve = await world.join('eve', [])
  expect((await open(world, await eve.mint('books'))).status).toBe(404)
})
