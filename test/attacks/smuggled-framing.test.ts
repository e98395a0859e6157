/**
 * Someone shares a proxy's connection to the gateway with others. They hide a whole call behind a request whose end the
 * proxy and the gateway might see in different places, hoping that the gateway takes what is hidden for a request.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { hostileRequests } from '../world/wire/framing-corpus.ts'
import { openRaw, postOf, type RawClient } from '../world/wire/raw-client.ts'

async function aimedAt(world: World) {
  const url = `${world.gatewayUrl}/servers/books/mcp`
  const lines = [
    `Authorization: Bearer ${await world.ana.mint('books')}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
  ]
  const { host, port, pathname } = new URL(url)
  // WHY: the hidden call has everything right: were it read, it would be forwarded.
  const smuggled = postOf(url, lines, JSON.stringify(callTool('echo', 'smuggled')))
  const open = async (text: string): Promise<RawClient> => {
    const client = await openRaw({ port: Number(port) })
    client.socket.write(Buffer.from(text, 'latin1'))
    return client
  }
  return { open, host, lines, target: pathname, smuggled }
}

proves('FRM-1', 'a call hidden behind an ambiguous request is never read', async () => {
  const world = await startWorld()
  const { open, host, lines, target, smuggled } = await aimedAt(world)
  const honest = await open(smuggled)
  await expect.poll(() => honest.statuses()).toEqual([200])
  expect(world.books.calls('tools/call')).toHaveLength(1)

  const corpus = hostileRequests({ target, host, lines, smuggled })
  for (const [wrong, text, status] of corpus) {
    const client = await open(text)
    await client.closed
    expect([wrong, client.statuses()]).toEqual([wrong, [status]])
    expect(client.answer.text).not.toMatch(/node:|llhttp|HPE_|echo/i)
  }

  expect(world.books.calls()).toHaveLength(1)
  expect(await world.ledger('&event=call.intended')).toHaveLength(1)
  // WHY: where only the body is wrong, its head was judged before, and that is on record.
  const refused = await world.ledger('&event=call.refused')
  expect(refused.length).toBeGreaterThan(0)
  expect(new Set(refused.map(({ refusal }) => refusal))).toEqual(new Set(['gateway.body-incomplete']))
  expect(refused.length).toBeLessThan(corpus.length / 4)

  const after = await open(smuggled)
  await expect.poll(() => after.statuses()).toEqual([200])
})

proves('FRM-1', 'what follows the last request of a connection is never read', async () => {
  const world = await startWorld()
  const { open, host, lines, target, smuggled } = await aimedAt(world)
  const body = JSON.stringify(callTool('echo', 'honest'))
  for (const extra of [['Connection: close'], ['Connection: Upgrade', 'Upgrade: h2c']]) {
    const client = await open(postOf(`http://${host}${target}`, [...lines, ...extra], body) + smuggled)
    await client.closed
    expect(client.statuses()).toEqual([200])
  }
  const [old] = [await open(postOf(`http://${host}${target}`, lines, body).replace('HTTP/1.1', 'HTTP/1.0') + smuggled)]
  await old?.closed
  const calls = world.books.calls('tools/call').map(({ message }) => JSON.stringify(message))
  expect(calls).toHaveLength(3)
  expect(calls.filter((call) => call.includes('smuggled'))).toEqual([])
  await expect.poll(async () => (await world.ledger('&event=call.completed')).length).toBe(3)
})

proves('FRM-2', 'no HTTP/2 is spoken, so none of its floods can be sent', async () => {
  const world = await startWorld()
  const { open, smuggled } = await aimedAt(world)
  // SPEC: RFC 9113, section 3.4: the client's preface, SETTINGS, then a stream that is opened and reset at once.
  const settings = '\0\0\0\x04\0\0\0\0\0'
  const reset = '\0\0\x01\x01\x05\0\0\0\x01\x82' + '\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08'
  const client = await open(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}${reset.repeat(1_000)}${smuggled}`)
  await client.closed
  expect(client.statuses()).toEqual([400])
  expect(world.books.calls()).toEqual([])
  expect((await world.ledger()).filter(({ event }) => event.startsWith('call.'))).toEqual([])
})
