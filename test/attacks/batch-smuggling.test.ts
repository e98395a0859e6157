/**
 * A batch is one request with many messages (MCP 2025-03-26). Mallory puts a call that she may not make between calls
 * that she may, in the hope that one of them is looked at for all; then she floods in batches, because a limit could
 * count requests.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'

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
