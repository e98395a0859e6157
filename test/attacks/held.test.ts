/**
 * An incident: an administrator stops a person, a tool, a server, then everything, while calls are running. The person
 * who is stopped keeps trying. Others try what is stopped to find out that it is there, and why it is stopped.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { callTool, listTools, modern } from '../world/messages.ts'

proves('POL-3', 'a hold stops the next call and the running ones, until it is lifted', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const token = await ben.mint('books')
  const holds = [
    { kind: 'person', subject: 'ben' },
    { kind: 'tool', subject: 'books/drip' },
    { kind: 'upstream', subject: 'books' },
    { kind: 'everything', subject: '' },
  ]
  for (const [count, hold] of holds.entries()) {
    const running = world.post({ token, message: callTool('drip') })
    while (world.books.openStreams() === 0) await sleep(10)
    const placed = await world.ana.api('POST', '/holds', { ...hold, reason: 'incident' })
    expect(placed.status, JSON.stringify(placed.body)).toBeLessThan(300)
    const heldAt = Date.now()
    expect((await running).body).toMatchObject({ error: { data: { code: 'gateway.held' } } })
    expect(Date.now() - heldAt).toBeLessThan(1_000)
    const next = await world.post({ token, message: callTool('drip') })
    expect(next.status).toBe(403)
    expect(next.body).toMatchObject({ error: { message: expect.stringContaining('incident') } })
    expect(world.books.calls('tools/call')).toHaveLength(count + 1)
    await world.ana.api('DELETE', `/holds/${String(placed.body['id'])}`)
    expect((await world.post({ token, message: listTools })).status).toBe(200)
  }
  await entriesOf(world, 'event=call.cut', 4)
  expect(await world.ledger('&refusal=gateway.held')).toHaveLength(8)
})

proves('POL-3', 'a hold on one tool leaves the others and hides the tool', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  await world.ana.api('POST', '/holds', { kind: 'tool', subject: 'books/echo', reason: 'incident' })
  const listed = await world.post({ token, message: listTools })
  expect(JSON.stringify(listed.body)).not.toContain('"echo"')
  expect((await world.post({ token, message: callTool('secret_tool') })).body['result']).toBeDefined()
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(403)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  expect(await world.ledger('&refusal=gateway.held')).toHaveLength(1)
})

proves(['POL-3', 'POL-2'], 'what is held, and why, is told to those only who may use it', async () => {
  const world = await startWorld()
  const [ben, mallory] = [await world.join('ben', [reader]), await world.join('mallory', [])]
  const reason = 'under investigation'
  await world.ana.api('POST', '/holds', { kind: 'tool', subject: 'books/secret_tool', reason })
  await world.ana.api('POST', '/holds', { kind: 'tool', subject: 'books/nothing', reason })
  const said = async (token: string, name: string, upstream = 'books') => {
    const params = { name, arguments: {} }
    const sent = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    const { status, body } = await world.post({ token, upstream, ...sent })
    const { code, message } = body['error'] as { code: number; message: string }
    return { status, code, message: message.replaceAll(/secret_tool|nothing|absent/g, 'x') }
  }
  const [atBooks, joint] = [await ben.mint('books'), await ben.mint('/mcp')]
  const hidden = { status: 200, code: -32602, message: 'there is no `tool` `x` that you may use on `books`' }
  for (const name of ['secret_tool', 'nothing', 'absent']) {
    expect(await said(atBooks, name)).toEqual(hidden)
    expect(await said(joint, `books__${name}`, '/mcp')).toEqual(hidden)
  }

  await world.ana.api('POST', '/holds', { kind: 'upstream', subject: 'books', reason })
  const [strange, absent] = [await mallory.mint('books'), await mallory.mint('absent')]
  const none = await said(absent, 'echo', 'absent')
  expect(none).toMatchObject({ status: 404, message: 'there is no server `x` that you may use' })
  expect(await said(strange, 'echo')).toEqual({ ...none, message: none.message.replace('`x`', '`books`') })
  const strangeJoint = await mallory.mint('/mcp')
  const [there, notThere] = [
    await said(strangeJoint, 'books__echo', '/mcp'),
    await said(strangeJoint, 'none__echo', '/mcp'),
  ]
  expect(there).toEqual({ ...notThere, message: notThere.message.replace('none', 'books') })
  expect(await said(atBooks, 'echo')).toMatchObject({
    status: 403,
    message: expect.stringContaining(reason) as unknown,
  })
  expect(world.books.calls('tools/call')).toEqual([])
  expect(await world.ledger('&refusal=gateway.held')).toHaveLength(1)
  expect(await world.ledger('&event=call.refused')).toHaveLength(11)
})
