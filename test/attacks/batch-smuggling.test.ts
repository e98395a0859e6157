/**
 * A batch is one request with many messages (MCP 2025-03-26). Mallory puts a call that she may not make between calls
 * that she may, in the hope that one of them is looked at for all; then she floods in batches, because a limit could
 * count requests.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool, initialize, modern } from '../world/messages.ts'

async function start(env: Record<string, string> = {}) {
  const world = await startWorld({ env })
  const mallory = await world.join('mallory', [reader])
  const token = await mallory.mint('books')
  const post = async (messages: unknown[]) => {
    const response = await fetch(`${world.gatewayUrl}/servers/books/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(messages),
    })
    return { status: response.status, answers: (await response.json()) as { id: number; error?: { code: number } }[] }
  }
  return { world, post }
}

proves(['MSG-5', 'POL-1', 'LED-3'], 'a denied call is denied between two that are allowed', async () => {
  const { world, post } = await start()
  const { status, answers } = await post([
    callTool('echo', 'a', 1),
    callTool('secret_tool', 'b', 2),
    callTool('echo', 'c', 3),
  ])
  expect(status).toBe(200)
  const codes = answers.toSorted((one, other) => one.id - other.id).map(({ error }) => error?.code)
  expect(codes).toEqual([undefined, -32602, undefined])
  expect(world.books.calls('tools/call')).toHaveLength(2)
  expect(JSON.stringify(world.books.calls('tools/call'))).not.toContain('secret_tool')
  expect(await world.ledger('&event=call.intended')).toHaveLength(2)
  expect(await world.ledger('&refusal=gateway.not-granted')).toHaveLength(1)
})

proves(['MSG-5', 'LIM-1'], 'each message of a batch is counted', async () => {
  const { world, post } = await start({ CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_PRINCIPAL: '5' })
  const { answers } = await post(Array.from({ length: 20 }, (_, id) => callTool('echo', 'x', id)))
  expect(answers.filter(({ error }) => error === undefined)).toHaveLength(4)
  expect(world.books.calls('tools/call')).toHaveLength(4)
})

proves(
  ['MSG-5', 'JNT-1', 'POL-1'],
  'under one id, and where several servers answer, each message is judged by itself',
  async () => {
    const world = await startWorld()
    const mallory = await world.join('mallory', [reader])
    const joint = await mallory.mint('/mcp')
    const opened = await world.post({ token: joint, upstream: '/mcp', message: initialize })
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
    for (const [upstream, prefix] of [
      ['books', ''],
      ['/mcp', 'books__'],
    ] as const) {
      const before = world.books.calls('tools/call').length
      const token = upstream === '/mcp' ? joint : await mallory.mint(upstream)
      const headers: Record<string, string> = upstream === '/mcp' ? session : {}
      const send = (message: unknown) => world.post({ token, upstream, message, headers })
      const { body } = await send(['echo', 'secret_tool', 'echo', 'echo'].map((name) => callTool(`${prefix}${name}`)))
      const answers = Object.values(body) as { id: number; error?: { code: number } }[]
      expect(answers.map(({ id }) => id)).toEqual([1, 1, 1, 1])
      expect(answers.flatMap(({ error }) => error?.code ?? [])).toEqual([-32602])
      expect(world.books.calls('tools/call')).toHaveLength(before + 3)

      const hidden = `{"jsonrpc":"2.0","id":9,"m\\u0065thod":"initialize","params":{}}`
      expect((await send(`[${JSON.stringify(callTool(`${prefix}echo`))},${hidden}]`)).status).toBe(400)
      const nested = await send([[callTool(`${prefix}echo`)], callTool(`${prefix}secret_tool`)])
      expect(JSON.stringify(nested.body)).not.toContain('"result"')
      const { message } = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: `${prefix}echo` } })
      expect(JSON.stringify((await send([message])).body)).not.toContain('"result"')
      expect(world.books.calls('tools/call')).toHaveLength(before + 3)
    }
    expect(JSON.stringify(world.books.arrived)).not.toContain('secret_tool')
    expect(await world.ledger('&refusal=gateway.not-granted')).toHaveLength(4)
  },
)
