/**
 * Someone opens connections as fast as they can and keeps them, from one address or, in the end, from so many that all
 * places are taken. They send nothing, or one request each, and hope that nobody else gets in.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, fetch } from 'undici'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { openRaw, type RawClient } from '../world/wire/raw-client.ts'

const slack = { timeout: 15_000 }

/** Opens connections without pause until told to stop. @returns all that were opened */
function flood(port: number, greeting: string) {
  const opened: RawClient[] = []
  let isOver = false
  const one = async (): Promise<void> => {
    while (!isOver) {
      const client = await openRaw({ port })
      client.socket.write(greeting)
      opened.push(client)
      await sleep(5)
    }
  }
  const all = Promise.all(Array.from({ length: 4 }, one))
  const stop = async (): Promise<RawClient[]> => {
    isOver = true
    await all
    for (const { socket } of opened) socket.destroy()
    return opened
  }
  return { opened, stop }
}

/** Calls over IPv6, each on a connection of its own, as somebody behind a trusted proxy would come in. */
function honestCaller(world: World, token: string) {
  const { port } = new URL(world.gatewayUrl)
  const dispatcher = new Agent({ pipelining: 0 })
  onTestFinished(() => dispatcher.close())
  return async (text: string): Promise<number> => {
    const answer = await fetch(`http://[::1]:${port}/servers/books/mcp`, {
      method: 'POST',
      dispatcher,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(callTool('echo', text)),
    })
    await answer.text()
    return answer.status
  }
}

proves('CON-2', 'a flood from one address is bounded, and others are served meanwhile', async () => {
  const env = { CASTELLAN_LIMITS__CONNECTIONS_PER_ADDRESS: '50', CASTELLAN_GATEWAY__TRUSTED_PROXIES: '::1' }
  const world = await startWorld({ env })
  const call = honestCaller(world, await world.ana.mint('books'))
  const { opened, stop } = flood(Number(new URL(world.gatewayUrl).port), 'GET / HTTP/1.1\r\nHost: ')
  await expect.poll(() => opened.length, slack).toBeGreaterThan(200)
  for (let count = 0; count < 100; count++) expect(await call(`honest ${count}`)).toBe(200)
  await expect.poll(() => opened.filter(({ answer }) => !answer.isClosed).length, slack).toBeLessThanOrEqual(50)
  for (const { answer } of await stop()) expect(answer.text).toMatch(/^$|^HTTP\/1\.1 408 /)
  expect(world.books.calls('tools/call')).toHaveLength(100)
  await expect.poll(async () => (await world.ledger('&event=call.completed')).length, slack).toBe(100)
  expect(await world.ledger('&event=call.refused')).toEqual([])
})

proves('CON-2', 'where all places are taken by idle clients, a new one still gets in', async () => {
  const world = await startWorld({
    env: {
      CASTELLAN_LIMITS__CONNECTIONS: '100',
      CASTELLAN_LIMITS__CONNECTIONS_PER_ADDRESS: '50',
      CASTELLAN_GATEWAY__TRUSTED_PROXIES: '127.0.0.1,::1',
    },
  })
  const call = honestCaller(world, await world.ana.mint('books'))
  const { opened, stop } = flood(Number(new URL(world.gatewayUrl).port), 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await expect.poll(() => opened.length, slack).toBeGreaterThan(200)
  for (let count = 0; count < 100; count++) expect(await call(`honest ${count}`)).toBe(200)
  const all = await stop()
  expect(all.length).toBeGreaterThan(300)
  expect(world.books.calls('tools/call')).toHaveLength(100)
  await expect.poll(async () => (await world.ledger('&event=call.completed')).length, slack).toBe(100)
})
