import { expect, test } from 'vitest'
import { reader, startWorld } from '../../../test/world/castellan.ts'
import { callTool, initialize } from '../../../test/world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendEvent } from '../../../test/world/servers/lying-upstream.ts'

async function open() {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const token = await ben.mint('books')
  const post = async (message: unknown, headers: Record<string, string> = {}, server = 'books') => {
    const response = await fetch(`${world.gatewayUrl}/servers/${server}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify(message),
    })
    const text = await response.text()
    const type = response.headers.get('content-type')
    const messages =
      type === 'text/event-stream' ? [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => data) : [text]
    return { status: response.status, type, messages: messages.map((each) => JSON.parse(each || 'null') as unknown) }
  }
  return { world, post }
}

const notification = { jsonrpc: '2.0', method: 'notifications/initialized' }

test('the answers to a batch come as one array, each under the id of its request', async () => {
  const { world, post } = await open()
  const { status, type, messages } = await post([callTool('echo', 'a', 1), notification, callTool('echo', 'b', 'two')])
  expect([status, type]).toEqual([200, 'application/json'])
  const answers = messages[0] as { id: unknown; result: unknown }[]
  expect(answers.map(({ id }) => id).toSorted()).toEqual([1, 'two'])
  expect(JSON.stringify(answers.find(({ id }) => id === 'two'))).toContain('b')
  const entries = await world.ledger('&event=call.intended')
  expect(new Set(entries.map(({ exchange }) => exchange)).size).toBe(3)
})

test('one answer that is a stream makes all of them a stream', async () => {
  const { world, post } = await open()
  const liar = await addLyingUpstream(world)
  let calls = 0
  liar.answer = (asked: Asked) => {
    if (asked.method !== 'tools/call' || (calls += 1) % 2 === 0) return answerHonestly(asked)
    sendEvent(asked, { id: asked.id, result: { content: [] } })
    asked.res.end()
  }
  const headers = { authorization: `Bearer ${await world.ana.mint('liar')}` }
  const { status, type, messages } = await post([callTool('echo', 'a', 1), callTool('echo', 'b', 2)], headers, 'liar')
  expect([status, type]).toEqual([200, 'text/event-stream'])
  const ids = messages.map((message) => (message as { id?: unknown } | null)?.id).filter((id) => id !== undefined)
  expect(ids.toSorted()).toEqual([1, 2])
})

test('only notifications and responses are accepted with 202 and nothing else', async () => {
  const { post } = await open()
  const { status, messages } = await post([notification, { jsonrpc: '2.0', id: 9, result: {} }])
  expect([status, messages]).toEqual([202, [null]])
})

test('what befalls every message alike is told by the status', async () => {
  const { world, post } = await open()
  expect((await post([callTool('echo')], { 'mcp-session-id': 'made-up' })).status).toBe(404)
  expect((await post([callTool('echo', 'a', 1), callTool('echo', 'b', 2)], { 'mcp-session-id': 'no' })).status).toBe(
    404,
  )
  expect(world.books.arrived.filter(({ message }) => message?.method === 'tools/call')).toEqual([])
})

test('a batch with a handshake, one that is empty and one inside of a batch are refused', async () => {
  const { post } = await open()
  expect((await post([callTool('echo'), initialize])).status).toBe(400)
  expect((await post([])).status).toBe(400)
  const { status, messages } = await post([[callTool('echo')], callTool('echo')])
  expect([status, (messages[0] as unknown[]).length]).toEqual([200, 1])
})
