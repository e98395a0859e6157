/**
 * Mallory frames a call as an old client does, where nobody has to compare headers with the body, and adds the headers
 * of 2026-07-28 for another tool, for whoever routes or judges by them.
 */
import { request } from 'node:http'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { entriesOf } from '../world/edge/entries.ts'

const regional = {
  name: 'regional',
  description: 'Says where it ran.',
  inputSchema: {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region-Id' },
      count: { type: 'integer', 'x-mcp-header': 'Count' },
    },
  },
}

/** What arrived but for the gateway's own question for definitions. */
function arrived({ books }: World): number {
  return books.arrived.filter(({ message }) => message?.method !== 'tools/list').length
}

async function startRegional(): Promise<{ world: World; token: string }> {
  const world = await startWorld()
  world.books.tools = [...world.books.tools, regional]
  await world.ana.api('POST', '/upstreams/books/review', {})
  await world.ana.api('POST', '/upstreams/books/tools/approve', { tools: 'all' })
  return { world, token: await world.ana.mint('books') }
}

proves('MSG-1', 'an old frame whose modern headers say something else is refused on every method', async () => {
  const { world, token } = await startRegional()
  const before = arrived(world)
  const call = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'regional', arguments: { region: 'eu', count: 7 } },
  }
  const response = { jsonrpc: '2.0', id: 1, result: {} }
  const notification = { jsonrpc: '2.0', method: 'notifications/initialized' }
  const posts: [unknown, Record<string, string>, number][] = [
    [call, { 'mcp-name': 'echo' }, -32020],
    [call, { 'mcp-method': 'tools/list' }, -32020],
    [call, { 'mcp-param-region-id': 'us' }, -32020],
    [call, { 'mcp-param-count': '8' }, -32020],
    [call, { 'mcp-param-count': '7.5' }, -32020],
    [call, { 'mcp-param-count': '07' }, -32020],
    [call, { 'mcp-param-region_id': 'eu' }, -32020],
    [call, { 'mcp-protocol-version': '2026-07-28' }, -32602],
    [call, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' }, -32602],
    [response, { 'mcp-method': 'tools/call' }, -32020],
    [response, { 'mcp-name': 'echo' }, -32020],
    [response, { 'mcp-protocol-version': '2026-07-28' }, -32600],
    [notification, { 'mcp-method': 'tools/call' }, -32020],
    [notification, { 'mcp-name': 'echo' }, -32020],
  ]
  for (const [message, headers, code] of posts) {
    const answer = await world.post({ token, message, headers })
    expect(answer.body, JSON.stringify([message, headers])).toMatchObject({ error: { code } })
    expect(answer.status).toBe(400)
  }
  for (const method of ['GET', 'DELETE']) {
    for (const [header, status] of [
      ['mcp-method', 400],
      ['mcp-name', 400],
      ['mcp-protocol-version', 405],
    ] as const) {
      const answer = await fetch(`${world.gatewayUrl}/servers/books/mcp`, {
        method,
        headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', [header]: '2026-07-28' },
      })
      expect(answer.status, `${method} ${header}`).toBe(status)
    }
  }
  expect(arrived(world)).toBe(before)
  expect(await world.ledger('&refusal=gateway.message-refused')).toHaveLength(posts.length + 6)
})

proves('MSG-1', 'an old frame passes with headers that agree, and they go no further', async () => {
  const { world, token } = await startRegional()
  const agreeing = { 'mcp-method': 'tools/call', 'mcp-name': 'echo', 'mcp-param-other': 'x' }
  expect((await world.post({ token, message: callTool('echo'), headers: agreeing })).status).toBe(200)
  const headers = Object.keys(world.books.calls('tools/call')[0]?.headers ?? {})
  expect(headers.filter((name) => name.startsWith('mcp-'))).toEqual([])
  await entriesOf(world, 'event=call.completed', 1)
})

proves(
  'MSG-1',
  'the same header twice, once for the judge and once for the server, is one header that fits nobody',
  async () => {
    const { world, token } = await startRegional()
    const before = world.books.arrived.length
    const { hostname, port } = new URL(world.gatewayUrl)
    const status = await new Promise((resolve) => {
      const sent = request({ hostname, port, method: 'POST', path: '/servers/books/mcp' }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      sent.setHeader('authorization', `Bearer ${token}`)
      sent.setHeader('content-type', 'application/json')
      sent.setHeader('accept', 'application/json, text/event-stream')
      sent.setHeader('mcp-name', ['echo', 'secret_tool'])
      sent.end(JSON.stringify(callTool('echo')))
    })
    expect(status).toBe(400)
    expect(world.books.arrived).toHaveLength(before)
    expect(await world.ledger('&refusal=gateway.message-refused')).toHaveLength(1)
  },
)
