import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '#platform/database'
import type { UpstreamSettings } from '#upstream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startUpstream } from '../../../test/conformance/upstreams.ts'
import { freshSqlite } from '../../../test/world/databases.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { peerCommands, startEverythingHttp } from '../../../test/world/servers/peers.ts'
import { startSessionServer } from '../../../test/world/servers/session-server.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

type Json = Record<string, unknown>
type Address = { url: string } | { command: readonly string[] }

async function behind(address: Address, settings: Partial<UpstreamSettings> = {}) {
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const world = await openUpstreams(database, { settings })
  const upstream = await addUpstream(world, 'old', address)
  const { exchange } = world.upstreams
  const client = (capabilities: Json = {}, ownerId = 'ada') =>
    new ModernClient({ exchange, upstream, capabilities, ownerId })
  return { ...world, client }
}

async function reference(name: 'legacy-only' | 'first-line'): Promise<Address> {
  const upstream = await startUpstream(name)
  onTestFinished(() => upstream.end())
  return { url: upstream.url }
}

const all = { elicitation: { form: {} }, sampling: {}, roots: {} }
const textOf = (result: Json | undefined) => (result?.['content'] as { text?: string }[] | undefined)?.[0]?.text
const accept = (content: Json) => ({ action: 'accept', content })
const requestsOf = (result: Json | undefined) => result?.['inputRequests'] as Record<string, Json>

describe.each([
  ['over HTTP', () => reference('legacy-only')],
  ['of the first line, over HTTP', () => reference('first-line')],
])('a legacy server %s', (_name, address) => {
  test('is found out, and looks like one of 2026-07-28', async () => {
    const ada = (await behind(await address())).client()
    const found = await ada.ask('server/discover')
    expect(found).toMatchObject({
      status: 200,
      result: {
        resultType: 'complete',
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {} },
        ttlMs: 0,
        cacheScope: 'private',
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: expect.any(String) } },
      },
    })
    const listed = await ada.ask('tools/list')
    expect(listed.result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' })
    expect(listed.result?.['tools']).toContainEqual(expect.objectContaining({ name: 'test_simple_text' }))
    const called = await ada.call('test_simple_text')
    expect(called).toMatchObject({ status: 200, result: { resultType: 'complete' } })
    expect(called.result).not.toHaveProperty('ttlMs')
    expect((await ada.ask('prompts/get', { name: 'test_simple_prompt' })).result).toHaveProperty('messages')
    const read = await ada.ask('resources/read', { uri: 'test://static-text' })
    expect(read.result).toMatchObject({ cacheScope: 'private', contents: [{ uri: 'test://static-text' }] })
  })

  test('tells what does not exist with the codes of 2026-07-28', async () => {
    const ada = (await behind(await address())).client()
    const missing = await ada.ask('resources/read', { uri: 'test://nope' })
    expect(missing).toMatchObject({ status: 200, error: { code: -32602, data: { uri: 'test://nope' } } })
    expect(await ada.ask('ping')).toMatchObject({ status: 404, error: { code: -32601 } })
    expect(await ada.ask('resources/subscribe', { uri: 'x' })).toMatchObject({ status: 404 })
  })

  test('tells its progress under the token of the client, before the result', async () => {
    const ada = (await behind(await address())).client()
    const [one, other] = await Promise.all(
      [0, 'é'].map((progressToken) =>
        ada.ask('tools/call', { name: 'test_tool_with_progress', arguments: {} }, { meta: { progressToken } }),
      ),
    )
    const tokens = (notes: readonly Json[] = []) => notes.map(({ params }) => (params as Json)['progressToken'])
    expect(one).toMatchObject({ kind: 'stream', result: { resultType: 'complete' } })
    expect(tokens(one?.notes)).toEqual([0, 0, 0])
    expect(tokens(other?.notes)).toEqual(['é', 'é', 'é'])
  })

  test('asks the person in the middle of a call, and goes on with the answer', async () => {
    const ada = (await behind(await address())).client(all)
    const asked = await ada.call('test_elicitation', { message: 'who?' })
    expect(asked.result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) })
    const [[key, question] = ['', {}]] = Object.entries(requestsOf(asked.result))
    expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'who?' } })
    const inputResponses = { [key]: accept({ username: 'ada', email: 'ada@example.com' }) }
    const { requestState } = asked.result ?? {}
    const done = await ada.call('test_elicitation', { message: 'who?' }, { inputResponses, requestState })
    expect(done.result).toMatchObject({ resultType: 'complete' })
    expect(textOf(done.result)).toContain('ada@example.com')
    expect(done.id).not.toBe(asked.id)
  })

  test('is not told that a client can do what it did not declare', async () => {
    const ada = (await behind(await address())).client()
    const answered = await ada.call('test_elicitation', { message: 'who?' })
    expect(JSON.stringify(answered)).not.toContain('input_required')
    expect(answered.result?.['isError'] ?? answered.error).toBeTruthy()
  })
})

describe.each([
  ['over HTTP', async () => ({ url: await startEverythingHttp() })],
  ['over stdio', async () => ({ command: peerCommands.everything })],
])('server-everything %s', (_name, address) => {
  test('serves clients of 2026-07-28: lists, calls, progress, questions', async () => {
    const ada = (await behind(await address())).client({ elicitation: {}, sampling: {} })
    expect((await ada.ask('server/discover')).result).toHaveProperty('supportedVersions')
    expect(JSON.stringify((await ada.ask('tools/list')).result)).toContain('"echo"')
    expect(textOf((await ada.call('echo', { message: 'grüß dich' })).result)).toContain('grüß dich')
    const work = { name: 'trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } }
    const worked = await ada.ask('tools/call', work, { meta: { progressToken: 'p' } })
    expect(worked.notes.map(({ params }) => (params as Json)['progress'])).toEqual([1, 2, 3, 4])
    const asked = await ada.call('trigger-sampling-request', { prompt: 'hi', maxTokens: 5 })
    const [[key, question] = ['', {}]] = Object.entries(requestsOf(asked.result))
    expect(question['method']).toBe('sampling/createMessage')
    const content = { type: 'text', text: 'sampled!' }
    const inputResponses = { [key]: { role: 'assistant', content, model: 'm' } }
    const more = { inputResponses, requestState: asked.result?.['requestState'] }
    const done = await ada.call('trigger-sampling-request', { prompt: 'hi', maxTokens: 5 }, more)
    expect(JSON.stringify(done.result)).toContain('sampled!')
  })
})

test('one handshake serves many calls, and the session is opened again when the server has forgotten it', async () => {
  const server = await startSessionServer()
  const { client } = await behind({ url: server.url })
  const ada = client()
  await Promise.all([ada.ask('tools/list'), ada.ask('tools/list'), ada.ask('server/discover')])
  expect(server.openSessions()).toBe(1)
  server.expire()
  const again = await Promise.all([ada.ask('tools/list'), ada.ask('tools/list')])
  expect(again.map(({ status }) => status)).toEqual([200, 200])
  expect(server.openSessions()).toBe(1)
  await client({}, 'ben').ask('tools/list')
  await client(all).ask('tools/list')
  expect(server.openSessions()).toBe(3)
})

test('the stream of a call that the server hangs up is resumed', async () => {
  const server = await startSessionServer()
  const ada = (await behind({ url: server.url })).client()
  expect(textOf((await ada.call('hang_up')).result)).toBe('answered after all')
})

test('sessions that nobody uses end at the server', async () => {
  const server = await startSessionServer()
  const ada = (await behind({ url: server.url }, { bridge: { idleMs: 100 } })).client()
  await ada.ask('tools/list')
  expect(server.openSessions()).toBe(1)
  await expect.poll(() => server.openSessions(), { timeout: 5_000 }).toBe(0)
  expect((await ada.ask('tools/list')).status).toBe(200)
})

test('changes are heard by those who listen, under the id of their request', async () => {
  const ada = (await behind(await reference('legacy-only'))).client()
  const notifications = { toolsListChanged: true, resourceSubscriptions: ['test://watched-resource'] }
  const hangUp = new AbortController()
  const { kind, frames } = await ada.start('subscriptions/listen', { notifications }, { signal: hangUp.signal })
  expect(kind).toBe('stream')
  const heard: Json[] = []
  const reading = (async () => {
    for await (const { body } of frames) heard.push(JSON.parse(body) as Json)
  })()
  await sleep(50)
  await ada.call('test_trigger_prompt_change')
  await ada.call('test_trigger_tool_change')
  await expect.poll(() => heard.length).toBe(2)
  const _meta = { 'io.modelcontextprotocol/subscriptionId': expect.stringMatching(/^m-/) }
  expect(heard[0]).toMatchObject({
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications, _meta },
  })
  expect(heard[1]).toMatchObject({ method: 'notifications/tools/list_changed', params: { _meta } })
  hangUp.abort()
  await reading
})

test('what a child asks reaches the call that it is about, also when several are open at once', async () => {
  const { client } = await behind({ command: peerCommands.everything })
  const ada = client({ sampling: {} })
  const prompts = ['one', 'two', 'three']
  const asked = await Promise.all(
    prompts.map((prompt) => ada.call('trigger-sampling-request', { prompt, maxTokens: 5 })),
  )
  const done = await Promise.all(
    asked.map(({ result }, at) => {
      const [[key, question] = ['', {}]] = Object.entries(requestsOf(result))
      const prompt = prompts[at] ?? ''
      expect(JSON.stringify(question)).toContain(prompt)
      const answer = { role: 'assistant', content: { type: 'text', text: `to ${prompt}` }, model: 'm' }
      const more = { inputResponses: { [key]: answer }, requestState: result?.['requestState'] }
      return ada.call('trigger-sampling-request', { prompt, maxTokens: 5 }, more)
    }),
  )
  for (const [at, prompt] of prompts.entries()) expect(JSON.stringify(done[at]?.result)).toContain(`to ${prompt}`)
})

test('a child serves one open call that may ask; as many have one as are allowed, one more is refused, none is lost', async () => {
  const limits = { maxAlone: 2, leftAfterMs: 5_000 }
  const { client } = await behind({ command: peerCommands.everything }, { bridge: limits })
  const ada = client({ sampling: {} })
  const ask = (more: Json = {}) => ada.call('trigger-sampling-request', { prompt: 'x', maxTokens: 5 }, more)
  const goOn = ({ result }: Awaited<ReturnType<typeof ask>>) => {
    const [key = ''] = Object.keys(requestsOf(result))
    const answer = { role: 'assistant', content: { type: 'text', text: 'yes' }, model: 'm' }
    return ask({ inputResponses: { [key]: answer }, requestState: result?.['requestState'] })
  }
  const first = await ask()
  const open = ada.ask('tools/call', { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 1 } })
  await sleep(100)
  expect(await ask()).toMatchObject({ status: 503, hopProblem: 'overloaded' })
  expect((await open).status).toBe(200)
  const second = await ask()
  expect(second.result?.['resultType']).toBe('input_required')
  expect(await ask()).toMatchObject({ status: 503, hopProblem: 'overloaded' })
  expect((await client({}).call('echo', { message: 'x' })).status).toBe(200)
  for (const parked of [first, second]) expect(textOf((await goOn(parked)).result)).toContain('yes')
  expect((await ask()).result?.['resultType']).toBe('input_required')
})

test('a question that nobody came back to gives its child up to a newer call', async () => {
  const limits = { maxAlone: 1, leftAfterMs: 3_000 }
  const { client } = await behind({ command: peerCommands.everything }, { bridge: limits })
  const ask = () => client({ sampling: {} }).call('trigger-sampling-request', { prompt: 'x', maxTokens: 5 })
  expect((await ask()).result?.['resultType']).toBe('input_required')
  expect(await ask()).toMatchObject({ status: 503, hopProblem: 'overloaded' })
  await sleep(3_100)
  expect((await ask()).result?.['resultType']).toBe('input_required')
})
