/**
 * Every value of a label is memory in this process and in every system that reads its metrics. A person with a token
 * calls tools, reads resources and uses methods that nobody has, each under another name, to fill it.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { readExposition } from '../world/exposition.ts'
import { callTool } from '../world/messages.ts'

const tools = 10_000
const atOnce = 100

proves(
  'OBS-5',
  'invented names make no series: after the first of each kind there is nothing new to tell',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const scrape = async () => {
      const headers = { authorization: `Bearer ${world.ana.sessionToken()}` }
      const response = await fetch(`${world.adminUrl}/metrics`, { headers })
      const families = readExposition(await response.text())
      return families.flatMap(({ samples }) => samples.map(({ name, labels }) => JSON.stringify([name, labels])))
    }
    const inventTool = (index: number) => world.post({ token, message: callTool(`invented-${index}`) })
    const invent = (index: number) =>
      Promise.all([
        inventTool(index),
        world.post({ token, message: { jsonrpc: '2.0', id: 1, method: `invented/${index}` } }),
        world.post({ token, message: { jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name: `p${index}` } } }),
        world.post({ token, upstream: `invented-${index}`, message: callTool('echo') }),
        world.post({ token: undefined, upstream: `invented-${index}`, message: callTool('echo') }),
        world.post({ token, message: callTool('echo'), headers: { 'mcp-protocol-version': `19${index}-01-01` } }),
        fetch(`${world.gatewayUrl}/invented-${index}`).then((response) => response.arrayBuffer()),
      ])
    await invent(0)
    const before = await scrape()
    for (let index = 1; index <= atOnce; index += 1) await invent(index)
    for (let index = 0; index < tools; index += atOnce)
      await Promise.all(Array.from({ length: atOnce }, (_, offset) => inventTool(index + offset)))
    expect(await scrape()).toEqual(before)
    expect(before.join('\n')).not.toContain('invented')
    expect(world.books.calls('tools/call')).toHaveLength(0)
    const size = await world.ana.api('GET', '/audit/state')
    expect(size.body['size']).toBeGreaterThan(tools)
    expect((await world.ledger('&refusal=gateway.tool-not-approved')).length).toBe(500)
  },
  60_000,
)
