/**
 * A proxy before the gateway, or the server behind it, goes by the headers `Mcp-Method`, `Mcp-Name` and `Mcp-Param-*`.
 * Mallory puts one tool into the headers and another into the body, so that one of the two is not the judged one; in
 * GHSA-g53w-w6mj-hrpp a header of the caller decided where a request went.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { entriesOf } from '../world/edge/entries.ts'

const asBase64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`

/** Headers that say something else than a call of `echo` in revision 2026-07-28; undefined leaves one out. */
const lies: Record<string, string | undefined>[] = [
  { 'mcp-name': 'secret_tool' },
  { 'mcp-name': 'Echo' },
  { 'mcp-name': 'echo\u00a0' },
  { 'mcp-name': 'echo, secret_tool' },
  { 'mcp-name': asBase64('secret_tool') },
  { 'mcp-name': asBase64('echo').replace('base64', 'BASE64') },
  { 'mcp-name': asBase64('echo').replace('==', '') },
  { 'mcp-name': '' },
  { 'mcp-name': undefined },
  { 'mcp-method': 'tools/list' },
  { 'mcp-method': 'tools/call, tools/list' },
  { 'mcp-method': 'TOOLS/CALL' },
  { 'mcp-method': undefined },
  { 'mcp-protocol-version': '2025-11-25' },
  { 'mcp-protocol-version': '2026-07-28, 2025-11-25' },
  { 'mcp-protocol-version': undefined },
]

proves(
  'MSG-1',
  'headers that name another call than the body are refused with -32020, whichever they are',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const before = world.books.arrived.length
    const { message, headers } = modern(callTool('echo') as never)
    for (const lie of lies) {
      const told = Object.entries({ ...headers, ...lie }).filter(([, value]) => value !== undefined)
      const answer = await world.post({ token, message, headers: Object.fromEntries(told) as Record<string, string> })
      expect(answer.status, JSON.stringify(lie)).toBe(400)
      expect(answer.body, JSON.stringify(lie)).toMatchObject({ id: 1, error: { code: -32020 } })
    }
    expect(world.books.arrived).toHaveLength(before)
    const refused = await world.ledger('&refusal=gateway.message-refused')
    expect(refused).toHaveLength(lies.length)
    expect(refused.every(({ target }) => target === undefined)).toBe(true)
  },
)

proves(
  'MSG-1',
  'the truth passes in every spelling that the protocol gives it, and arrives as it was sent',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const { message, headers } = modern(callTool('echo') as never)
    for (const name of ['echo', ' echo\t', asBase64('echo')]) {
      expect((await world.post({ token, message, headers: { ...headers, 'mcp-name': name } })).status, name).toBe(200)
      expect(world.books.calls('tools/call').at(-1)?.headers['mcp-name']).toBe(name.trim())
    }
    await entriesOf(world, 'event=call.completed', 3)
  },
)

proves(
  ['MSG-1', 'AUT-7'],
  'no header of the caller but those of the protocol reaches the server, nor any of ours',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const { message, headers } = modern(callTool('echo') as never)
    const smuggled = {
      ':authority': undefined,
      'x-forwarded-host': 'evil.example',
      'x-original-url': '/servers/other/mcp',
      'x-castellan-principal': 'ana',
      'castellan-exchange': 'forged',
      'x-mcp-name': 'secret_tool',
      mcp_name: 'secret_tool',
      'mcp-param_region': 'eu',
      'mcp-session': 'x',
      cookie: 'session=1',
      'proxy-authorization': 'Basic x',
      forwarded: 'for=10.0.0.1',
      te: 'trailers',
    }
    const sent = Object.entries({ ...headers, ...smuggled }).filter(([, value]) => value !== undefined)
    const answer = await world.post({ token, message, headers: Object.fromEntries(sent) as Record<string, string> })
    expect(answer.status).toBe(200)
    const arrived = world.books.calls('tools/call')[0]?.headers ?? {}
    const known = ['accept', 'user-agent', 'content-type', 'content-length', 'host', 'connection']
    const expected = [...known, 'mcp-protocol-version', 'mcp-method', 'mcp-name'].sort()
    expect(Object.keys(arrived).sort()).toEqual(expected)
    expect(answer.headers.get('castellan-exchange')).not.toBe('forged')
    expect((await entriesOf(world, 'event=call.completed', 1))[0]?.principal?.name).toBe('ana')
  },
)
