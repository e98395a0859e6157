/**
 * A web page makes the browser of someone on this machine talk to the gateway: through a rebound host name, and from
 * its own origin. It has even got hold of a token.
 */
import { request } from 'node:http'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'

function send(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, setHost: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(callTool('echo')))
  })
}

proves('NET-1', 'a foreign Host or Origin is refused before anything is asked', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const { host, port } = new URL(world.gatewayUrl)
  const url = `http://127.0.0.1:${port}/servers/books/mcp`
  const good = {
    host,
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  expect(await send(url, good)).toBe(200)
  expect(await send(url, { ...good, origin: world.gatewayUrl })).toBe(200)
  const reached = world.books.arrived.length
  const foreign = [
    { host: 'evil.example' },
    { host: `evil.example:${port}` },
    { host: `${host}.evil.example` },
    { host: 'localhost:1' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `${world.gatewayUrl}.evil.example` },
    { origin: 'http://localhost:1' },
  ]
  for (const headers of foreign) expect(await send(url, { ...good, ...headers }), JSON.stringify(headers)).toBe(403)
  expect(world.books.arrived).toHaveLength(reached)
  expect(await world.ledger('&event=call.refused')).toHaveLength(foreign.length)
})
