/**
 * Some readers of JSON remember the keys of earlier messages, and take the spelling of a key for one of those. Mallory
 * plants a key that is spelt like an escape, then sends a second name behind that escape: the gateway would judge the
 * first name, and the server carry out the second. Then she writes with escapes whatever the gateway decides on or renames.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'

/** What is planted in the place where the spelt name comes; both have as many characters once they are read. */
const spellings: [planted: string, spelt: string][] = [
  ['"\\\\u00":1', '"\\u006eame":"secret_tool"'],
  ['"n\\\\u0":1', '"n\\u0061me":"secret_tool"'],
  ['"nam\\\\":1', '"nam\\u0065":"secret_tool"'],
]

proves('MSG-3', 'a second name behind an escape is found, whatever keys were sent before it', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  for (const { message, headers } of [{ message: callTool('echo'), headers: {} }, modern(callTool('echo') as never)]) {
    const call = JSON.stringify(message)
    for (const [planted, spelt] of spellings) {
      const withMember = (member: string) => call.replace('"name":"echo"', `"name":"echo",${member}`)
      await world.post({ token, headers, message: withMember(planted) })
      const before = world.books.arrived.length
      const answer = await world.post({ token, headers, message: withMember(spelt) })
      expect(answer.status, spelt).toBe(400)
      expect(answer.body['error'], spelt).toMatchObject({ data: { code: 'gateway.message-refused' } })
      expect(world.books.arrived).toHaveLength(before)
    }
  }
  const refused = await world.ledger('&refusal=gateway.message-refused')
  expect(refused).toHaveLength(2 * spellings.length)
  expect(JSON.stringify(refused)).not.toContain('secret_tool')
})

/** A text with every key of this name written with its first letter as an escape. */
function spelt(message: object, ...keys: string[]): string {
  return keys.reduce((text, key) => {
    const first = `\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}`
    return text.replaceAll(`"${key}":`, `"${first}${key.slice(1)}":`)
  }, JSON.stringify(message))
}

proves(
  ['MSG-3', 'JNT-1', 'JNT-2', 'SES-6'],
  'a key that is written with an escape is decided on as the key it is, wherever the gateway decides or renames',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [reader])
    const [token, joint] = [await ben.mint('books'), await ben.mint('/mcp')]
    // WHY: the next reader of the same place takes the spelling for this key.
    const planted = {
      ...callTool('echo'),
      '\\u00': 1,
      params: { '\\u00': 1, name: 'echo', arguments: {}, _meta: { '\\u00': 1 } },
    }
    const ask = async (upstream: string, method: string, params: Record<string, unknown>, ...keys: string[]) => {
      await world.post({ token, message: planted })
      const made = modern({ jsonrpc: '2.0', id: 1, method, params })
      const text = spelt(made.message, 'params', '_meta', 'io.modelcontextprotocol/protocolVersion', ...keys)
      const name = typeof params['taskId'] === 'string' ? { 'mcp-name': params['taskId'] } : {}
      const sent = { message: text, headers: { ...made.headers, ...name } }
      return (await world.post({ token: upstream === '/mcp' ? joint : token, upstream, ...sent })).body
    }
    const denied = { error: { code: -32602 } }
    for (const [upstream, prefix] of [
      ['books', ''],
      ['/mcp', 'books__'],
    ] as const) {
      const call = (name: string, more = {}) => ({ name: `${prefix}${name}`, arguments: {}, ...more })
      const uri = upstream === '/mcp' ? 'books+file:///etc/passwd' : 'file:///etc/passwd'
      expect(await ask(upstream, 'tools/call', call('secret_tool'), 'name')).toMatchObject(denied)
      expect(await ask(upstream, 'resources/read', { uri }, 'uri')).toMatchObject(denied)
      expect(await ask(upstream, 'tools/call', call('echo', { requestState: 'raw' }), 'requestState')).toMatchObject(
        denied,
      )
      const related = { 'io.modelcontextprotocol/related-task': { taskId: 'raw' } }
      const text = { ...call('echo'), _meta: related }
      expect(
        await world.post({ token, message: spelt({ ...callTool('echo'), params: text }, 'taskId', '_meta') }),
      ).toMatchObject({ body: denied })
      const before = world.books.calls('tools/call').length
      expect(await ask(upstream, 'tools/call', call('echo'), 'name')).toHaveProperty('result')
      const [arrived] = world.books.calls('tools/call').slice(before + 1)
      expect(arrived?.message?.params?.['name']).toBe('echo')
    }
    expect(await ask('books', 'tasks/get', { taskId: 'raw' }, 'taskId')).toMatchObject(denied)
    expect(await ask('/mcp', 'tools/list', { cursor: 'raw' }, 'cursor')).toMatchObject(denied)
    const reached = JSON.stringify(world.books.arrived)
    for (const never of ['secret_tool', 'passwd', 'raw']) expect(reached).not.toContain(never)
    expect((await world.ledger('&event=call.refused')).length).toBeGreaterThan(7)
  },
)
