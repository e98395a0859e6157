/**
 * A client sends messages that two parsers would read differently, headers that say something else than the body,
 * and bodies beyond the limit, hoping that what is judged is not what is forwarded.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'

const maxBodyBytes = 4 * 1024 * 1024

proves('MSG-1', 'a message that can be read in two ways is refused', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const reached = world.books.arrived.length
  const call = JSON.stringify(callTool('echo'))
  const bodies = [
    call.replace('"name":"echo"', '"name":"echo","name":"secret_tool"'),
    call.replace('"name":"echo"', '"name":"echo","Name":"secret_tool"'),
    call.replace('"method"', '"Method":"tools/list","method"'),
    call.replace('"tools/call"', '"tools/call","method":"tools/list"'),
    `${call}${call}`,
    call.slice(0, -1),
    call.replace('"id":1', '"id":null'),
    call.replace('"id":1', '"id":1.5'),
    call.replace('"2.0"', '"1.0"'),
    `\ufeff${call}`,
  ]
  for (const message of bodies) expect((await world.post({ token, message })).status, message).toBe(400)
  for (const version of ['2025-06-18', '2025-11-25']) {
    const headers = { 'mcp-protocol-version': version }
    expect((await world.post({ token, headers, message: `[${call}]` })).status, version).toBe(400)
  }
  const inModern = modern(callTool('echo') as never)
  for (const [name, value] of [
    ['mcp-method', 'tools/list'],
    ['mcp-name', 'secret_tool'],
    ['mcp-protocol-version', '2025-11-25'],
  ] as const) {
    const answer = await world.post({ token, ...inModern, headers: { ...inModern.headers, [name]: value } })
    expect(answer.body, name).toMatchObject({ error: { code: -32020 } })
    expect(answer.status).toBe(400)
  }
  expect(world.books.arrived).toHaveLength(reached)
  expect(await world.ledger('&refusal=gateway.message-refused')).toHaveLength(bodies.length + 5)
})

proves('MSG-2', 'a body at the limit passes, one byte more is refused unread', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const empty = JSON.stringify(callTool('echo', ''))
  const fits = JSON.stringify(callTool('echo', 'x'.repeat(maxBodyBytes - empty.length)))
  expect((await world.post({ token, message: fits })).status).toBe(200)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  const over = await world.post({ token, message: fits.replace('"xx', '"xxx') })
  expect(over.status).toBe(413)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  expect(await world.ledger('&refusal=gateway.body-too-large')).toHaveLength(1)
})
