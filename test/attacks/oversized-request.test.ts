/**
 * Someone sends requests that are larger than the gateway reads: bodies with a declared length, in chunks and packed
 * with gzip, and headers, hoping that one of the ways in forgot to count.
 */
import { gzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { openRaw } from '../world/wire/raw-client.ts'

const bodyBytes = 2_000
const headerBytes = 8_192

async function limitedWorld() {
  const world = await startWorld({
    env: { CASTELLAN_LIMITS__BODY_BYTES: String(bodyBytes), CASTELLAN_LIMITS__HEADER_BYTES: String(headerBytes) },
  })
  const token = await world.ana.mint('books')
  const { host, port } = new URL(world.gatewayUrl)
  const target = '/servers/books/mcp'
  const fields: [string, string][] = [
    ['Host', host],
    ['Authorization', `Bearer ${token}`],
    ['Content-Type', 'application/json'],
    ['Accept', 'application/json, text/event-stream'],
  ]
  /** One request on a connection of its own; the status of its answer. */
  const send = async (more: [string, string][], body: string | Buffer): Promise<number | undefined> => {
    const client = await openRaw({ port: Number(port) })
    const lines = [...fields, ...more].map(([name, value]) => `${name}: ${value}`)
    client.socket.write(`POST ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    client.socket.write(body)
    await expect.poll(() => client.statuses().length > 0 || client.answer.isClosed).toBe(true)
    client.socket.destroy()
    return client.statuses()[0]
  }
  const countedBytes = (more: [string, string][]) =>
    target.length + [...fields, ...more].reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return { world, send, countedBytes }
}

/** A call whose message has so many bytes. */
function callOf(bytes: number): string {
  const empty = JSON.stringify(callTool('echo', ''))
  return JSON.stringify(callTool('echo', 'x'.repeat(bytes - empty.length)))
}

function inChunks(text: string): string {
  const half = text.length / 2
  const chunks = [text.slice(0, half), text.slice(half)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
  return `${chunks.join('')}0\r\n\r\n`
}

proves('MSG-2', 'a body is read up to the limit, however it is sent, and not one byte further', async () => {
  const { world, send } = await limitedWorld()
  const chunked: [string, string][] = [['Transfer-Encoding', 'chunked']]
  const declared = (text: string): [string, string][] => [['Content-Length', String(text.length)]]
  for (const bytes of [bodyBytes - 1, bodyBytes]) {
    expect(await send(declared(callOf(bytes)), callOf(bytes))).toBe(200)
    expect(await send(chunked, inChunks(callOf(bytes)))).toBe(200)
  }
  const over = callOf(bodyBytes + 1)
  expect(await send(declared(over), over)).toBe(413)
  expect(await send(chunked, inChunks(over))).toBe(413)
  expect(await send(chunked, `fffffff\r\n${over}`)).toBe(413)
  expect(await send([['Content-Length', '99999999']], '')).toBe(413)
  expect(world.books.calls('tools/call')).toHaveLength(4)
  expect(await world.ledger('&refusal=gateway.body-too-large')).toHaveLength(4)
  expect(await world.ledger('&event=call.intended')).toHaveLength(4)
})

proves('MSG-2', 'a compressed body is not unpacked, whatever is in it', async () => {
  const { world, send } = await limitedWorld()
  const small = gzipSync(JSON.stringify(callTool('echo')))
  const bomb = gzipSync(JSON.stringify(callTool('echo', 'x'.repeat(1_000_000))))
  for (const body of [small, bomb]) {
    for (const encoding of ['gzip', 'x-gzip', 'deflate', 'br', 'gzip, identity']) {
      const more: [string, string][] = [
        ['Content-Encoding', encoding],
        ['Content-Length', String(body.length)],
      ]
      expect([encoding, await send(more, body)]).toEqual([encoding, 415])
    }
  }
  expect(await send([['Transfer-Encoding', 'gzip, chunked']], '0\r\n\r\n')).toBe(400)
  expect(world.books.calls()).toEqual([])
  const refused = await world.ledger('&refusal=gateway.message-refused')
  expect(refused.map(({ details }) => details?.['problem'])).toEqual(
    Array.from({ length: 10 }, () => 'the body must not be compressed'),
  )
})

proves('MSG-2', 'headers are read up to the limit, and not one byte further', async () => {
  const { world, send, countedBytes } = await limitedWorld()
  const call = JSON.stringify(callTool('echo'))
  const filled = (bytes: number): [string, string][] => {
    const more: [string, string][] = [['Content-Length', String(call.length)]]
    return [...more, ['X-Fill', 'x'.repeat(bytes - countedBytes([...more, ['X-Fill', '']]))]]
  }
  expect(await send(filled(headerBytes - 1), call)).toBe(200)
  expect(await send(filled(headerBytes), call)).toBe(431)
  expect(await send(filled(1_000_000), call)).toBe(431)
  const many = Array.from({ length: 200 }, (_, at): [string, string] => [`X-${at}`, 'a'])
  expect(await send([['Content-Length', String(call.length)], ...many], call)).toBe(431)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  expect(await world.ledger('&event=call.intended')).toHaveLength(1)
})
