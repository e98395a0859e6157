/**
 * A server of 2026-07-28 wants to know whether to deploy, and Castellan asks Ben's older client for it. The answer comes
 * as a request of its own, named by nothing but the question's id. Mallory has seen that id and Ben's session id in a
 * log: she answers in his place from a session of hers and from his, listens to his stream and ends his session.
 */
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { startAskingServer } from '../world/servers/asking-server.ts'
import { putBehind } from '../world/servers/peers.ts'

type Json = Record<string, unknown>

/** One after the other, the messages of a stream. */
async function* messagesOf(response: Response): AsyncGenerator<Json> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: {')) yield JSON.parse(line.slice('data: '.length)) as Json
  }
}

async function startStory() {
  const world = await startWorld()
  const server = await startAskingServer()
  await putBehind(world.ana, 'asking', { url: server.url })
  await world.ana.api('PUT', '/roles/user', {
    grants: [{ permissions: ['servers:use', 'tools:call'], resources: ['asking', 'asking/tools/*'] }],
  })
  const [ben, mallory] = [await world.join('ben', ['user']), await world.join('mallory', ['user'])]
  const tokens = { ben: await ben.mint('asking'), mallory: await mallory.mint('asking') }
  const send = (token: string, session: string, message?: Json, method = 'POST'): Promise<Response> => {
    const ended = new AbortController()
    onTestFinished(() => ended.abort())
    return fetch(`${world.gatewayUrl}/servers/asking/mcp`, {
      method,
      signal: ended.signal,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...(session === '' ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
      },
      ...(message === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
    })
  }
  const open = async (token: string): Promise<string> => {
    const capabilities = { elicitation: {} }
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'old', version: '1' } }
    const opened = await send(token, '', { id: 0, method: 'initialize', params })
    await opened.text()
    return opened.headers.get('mcp-session-id') ?? ''
  }
  return { world, server, tokens, send, open }
}

proves(
  'SES-4',
  'nobody answers a question that was put to somebody else, nor uses the session it was put to',
  async () => {
    const { world, server, tokens, send, open } = await startStory()
    const [bens, mallorys] = [await open(tokens.ben), await open(tokens.mallory)]
    const call = { id: 7, method: 'tools/call', params: { name: 'deploy', arguments: {} } }
    const stream = messagesOf(await send(tokens.ben, bens, call))
    const question = (await stream.next()).value as Json
    expect(question['method']).toBe('elicitation/create')
    const answer = (sure: string): Json => ({ id: question['id'], result: { action: 'accept', content: { sure } } })
    const before = server.reached().length

    expect((await send(tokens.mallory, mallorys, answer('mallory says so'))).status).toBe(202)
    expect(
      (await send(tokens.mallory, mallorys, { id: question['id'], error: { code: 1, message: 'no' } })).status,
    ).toBe(202)
    const stolen = [
      send(tokens.mallory, bens, answer('mallory says so')),
      send(tokens.mallory, bens, { method: 'notifications/cancelled', params: { requestId: 7 } }),
      send(tokens.mallory, bens, undefined, 'GET'),
      send(tokens.mallory, bens, undefined, 'DELETE'),
    ]
    for (const refused of await Promise.all(stolen)) {
      expect(refused.status).toBe(404)
      expect(await refused.json()).toMatchObject({ error: { data: { code: 'gateway.session-unknown' } } })
    }
    expect((await send(tokens.ben, await open(tokens.ben), answer('from another session of mine'))).status).toBe(202)
    const sent = { method: 'notifications/cancelled', params: { requestId: 7 } }
    expect((await send(tokens.mallory, mallorys, sent)).status).toBe(202)
    expect(server.reached('tools/call')).toHaveLength(1)
    expect(server.reached().length - before).toBe(1)

    expect((await send(tokens.ben, bens, answer('ben says so'))).status).toBe(202)
    expect((await stream.next()).value).toMatchObject({ id: 7, result: { content: [{ text: 'ben says so' }] } })
    const retried = server.reached('tools/call').at(-1)?.message.params
    expect(retried?.['inputResponses']).toEqual({ sure: { action: 'accept', content: { sure: 'ben says so' } } })
    const refusals = await world.ledger('&refusal=gateway.session-unknown')
    expect(refusals.map(({ principal }) => principal?.name)).toEqual(['mallory', 'mallory', 'mallory', 'mallory'])
  },
)
