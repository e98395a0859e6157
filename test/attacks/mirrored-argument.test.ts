/**
 * A proxy in front of the upstream routes by `Mcp-Param-Region`. Ben may use one region only by what the proxy reads,
 * so he sends the header for that region and the argument for another, or leaves one of the two out.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { modern } from '../world/messages.ts'

const regional = {
  name: 'regional',
  description: 'Says where it ran.',
  inputSchema: {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      count: { type: 'integer', 'x-mcp-header': 'Count' },
      where: { type: 'object', properties: { isDry: { type: 'boolean', 'x-mcp-header': 'Dry' } } },
    },
  },
}

const text = (value: string) => `=?base64?${Buffer.from(value).toString('base64')}?=`

proves('MSG-1', 'a header that mirrors an argument says what the argument says, or the call is refused', async () => {
  const world = await startWorld()
  world.books.tools = [regional]
  await world.ana.api('POST', '/upstreams/books/review', {})
  await world.ana.api('POST', '/upstreams/books/tools/approve', { tools: 'all' })
  const token = await world.ana.mint('books')
  const call = (args: unknown, mirrors: Record<string, string>) => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'regional', arguments: args } }
    const sent = modern(message)
    return world.post({ token, message: sent.message, headers: { ...sent.headers, ...mirrors } })
  }
  const good: [unknown, Record<string, string>][] = [
    [{}, {}],
    [{ region: null }, {}],
    [{ region: 'eu' }, { 'mcp-param-region': 'eu' }],
    [{ region: 'Zürich' }, { 'mcp-param-region': text('Zürich') }],
    [{ count: 7 }, { 'Mcp-Param-Count': '7' }],
    [{ where: { isDry: true } }, { 'mcp-param-dry': 'true' }],
    [{ region: 'eu' }, { 'mcp-param-region': 'eu', 'mcp-param-unknown': 'passes on' }],
  ]
  for (const [args, mirrors] of good) expect((await call(args, mirrors)).status, JSON.stringify(args)).toBe(200)
  const bad: [unknown, Record<string, string>][] = [
    [{ region: 'us' }, { 'mcp-param-region': 'eu' }],
    [{ region: 'EU' }, { 'mcp-param-region': 'eu' }],
    [{ region: 'us' }, {}],
    [{}, { 'mcp-param-region': 'eu' }],
    [{ region: 'us' }, { 'mcp-param-region': '=?base64?dXM?=' }],
    [{ count: 7 }, { 'mcp-param-count': '8' }],
    [{ count: 7 }, { 'mcp-param-count': '0x7' }],
    [{ where: { isDry: true } }, { 'mcp-param-dry': 'True' }],
  ]
  for (const [args, mirrors] of bad) {
    const answer = await call(args, mirrors)
    expect(answer.status, JSON.stringify([args, mirrors])).toBe(400)
    expect(answer.body).toMatchObject({ error: { code: -32020 } })
  }
  expect(world.books.calls('tools/call')).toHaveLength(good.length)
  expect(await world.ledger('&refusal=gateway.message-refused')).toHaveLength(bad.length)
})
