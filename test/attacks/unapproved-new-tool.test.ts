/**
 * A server that was approved once adds a tool afterwards, and waits for somebody's agent to use it.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool, listTools } from '../world/messages.ts'

const maxFreshMs = 60_000

async function names(world: World, token: string): Promise<string[]> {
  const { body } = await world.post({ token, message: listTools })
  return (body['result'] as { tools: { name: string }[] }).tools.map((tool) => tool.name)
}

proves('PIN-1', 'a new tool is neither seen nor called until an admin approves it, by anyone', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  world.books.tools = [...world.books.tools, { name: 'new_tool', description: 'New.', inputSchema: { type: 'object' } }]
  expect(await names(world, token)).not.toContain('new_tool')
  const called = await world.post({ token, message: callTool('new_tool') })
  expect(called.body).toMatchObject({ error: { data: { code: 'gateway.not-granted' } } })

  expect(world.books.calls('tools/call')).toHaveLength(0)
  const refused = await world.ledger('&event=call.refused')
  expect(refused.map((entry) => entry.refusal)).toEqual(['gateway.tool-not-approved'])

  await world.ana.api('POST', '/upstreams/books/tools/approve', { tools: ['new_tool'] })
  world.clock.advance(maxFreshMs)
  expect(await names(world, token)).toContain('new_tool')
  expect((await world.post({ token, message: callTool('new_tool') })).body['result']).toBeDefined()
})
