/**
 * Ben's roles do not grant `secret_tool`, so his lists do not show it. He calls it by name all the same, in every
 * spelling and era, and asks for tools that do not exist to compare the answers.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool, listTools, modern } from '../world/messages.ts'

interface Denial {
  readonly error: { readonly code: number; readonly message: string; readonly data: Record<string, unknown> }
}

proves(
  ['POL-1', 'POL-2', 'LED-3'],
  'a hidden tool is neither listed nor called, and looks like none at all',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [reader])
    const token = await ben.mint('books')

    const legacy = await world.post({ token, message: listTools })
    const listed = (legacy.body['result'] as { tools: { name: string }[] }).tools.map((tool) => tool.name)
    expect(listed).toEqual(['echo', 'slow', 'drip'])
    const modernList = await world.post({ token, ...modern(listTools as never) })
    expect(JSON.stringify(modernList.body)).not.toContain('secret_tool')
    expect(modernList.body['result']).toMatchObject({ cacheScope: 'private' })

    const hidden = (await world.post({ token, message: callTool('secret_tool') })).body as unknown as Denial
    const absent = (await world.post({ token, message: callTool('absent_tool') })).body as unknown as Denial
    expect(hidden.error.code).toBe(-32602)
    expect(hidden.error.message.replace('secret_tool', 'absent_tool')).toBe(absent.error.message)
    expect({ ...hidden.error.data, exchange: '' }).toEqual({ ...absent.error.data, exchange: '' })
    for (const name of ['SECRET_TOOL', 'secret_tool ', 'secret_tool\u0000', 'ｓecret_tool']) {
      expect((await world.post({ token, message: callTool(name) })).body['error']).toBeDefined()
    }
    const smuggled = modern(callTool('secret_tool') as never)
    const mismatch = await world.post({ token, ...smuggled, headers: { ...smuggled.headers, 'mcp-name': 'echo' } })
    expect(mismatch.status).toBe(400)

    expect(world.books.calls('tools/call')).toHaveLength(0)
    const refused = await world.ledger('&event=call.refused')
    expect(refused).toHaveLength(7)
    expect(refused[0]).toMatchObject({ refusal: 'gateway.not-granted', principal: { name: 'ben' } })
    expect(refused[0]?.target).toEqual({ upstream: 'books', kind: 'tool', name: 'secret_tool' })
  },
)

proves('POL-1', 'a person without a grant on a server finds no server', async () => {
  const world = await startWorld()
  const mallory = await world.join('mallory', [])
  const token = await mallory.mint('books')
  const before = world.books.arrived.length
  for (const message of [listTools, callTool('echo'), { jsonrpc: '2.0', method: 'notifications/initialized' }]) {
    const answer = await world.post({ token, message })
    expect(answer.status).toBe(404)
    expect(JSON.stringify(answer.body)).toContain('gateway.server-unknown')
  }
  expect(world.books.arrived).toHaveLength(before)
  expect(await world.ledger('&refusal=gateway.server-unknown')).toHaveLength(3)
})
