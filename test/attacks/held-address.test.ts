/**
 * Somebody at one address guesses and probes, with a good token, without one, on every path and method. An administrator
 * holds the address. They try to find out that there is a hold; others go on; the administrator, who may be at that very
 * machine, is not locked out by a slip.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { gatewayRoutes, goodHeaders, send } from '../world/edge/send.ts'
import { callTool } from '../world/messages.ts'

const attacker = '127.0.0.9'
const hold = { kind: 'address', subject: '127.0.0.8/31', reason: 'guessing passwords' }

proves(
  ['POL-3', 'NET-2'],
  'a held address is answered like a foreign one on every path, and learns of no hold',
  async () => {
    const world = await startWorld()
    const headers = await goodHeaders(world)
    const call = { method: 'POST', path: '/servers/books/mcp', headers, body: JSON.stringify(callTool('echo')) }
    expect((await send(world.gatewayUrl, { ...call, from: attacker })).status).toBe(200)
    const reached = world.books.arrived.length
    const placed = await world.ana.api('POST', '/holds', hold)
    expect(placed.status, JSON.stringify(placed.body)).toBe(201)
    for (const [method, path] of gatewayRoutes) {
      const answer = await send(world.gatewayUrl, { from: attacker, method, path, headers })
      expect(answer.status, `${method} ${path}`).toBe(403)
      if (method === 'HEAD') continue
      expect(JSON.parse(answer.text)).toMatchObject({
        error: { code: 403, data: { code: 'gateway.address-not-allowed' } },
      })
      expect(answer.text).not.toMatch(/hold|guessing/)
    }
    expect((await send(world.gatewayUrl, { ...call, headers: {}, from: attacker })).status).toBe(403)
    expect(world.books.arrived).toHaveLength(reached)
    expect((await send(world.gatewayUrl, { ...call, from: '127.0.0.7' })).status).toBe(200)
    const refused = await world.ledger('&event=call.refused&refusal=gateway.address-not-allowed')
    expect(refused).toHaveLength(gatewayRoutes.length + 1)
    for (const entry of refused) {
      expect(entry).toMatchObject({ address: attacker, details: { guard: 'admit-address', hold: placed.body['id'] } })
      expect(entry).not.toHaveProperty('principal')
    }
    await world.ana.api('DELETE', `/holds/${String(placed.body['id'])}`)
    expect((await send(world.gatewayUrl, { ...call, from: attacker })).status).toBe(200)
  },
)

proves('POL-3', 'what runs from an address ends within a second of its hold', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const { authorization, ...rest } = await goodHeaders(world)
  void authorization
  const headers = { ...rest, authorization: `Bearer ${await ben.mint('books')}` }
  const body = JSON.stringify(callTool('drip'))
  const running = send(world.gatewayUrl, { from: attacker, method: 'POST', path: '/servers/books/mcp', headers, body })
  while (world.books.openStreams() === 0) await sleep(10)
  const heldAt = Date.now()
  expect((await world.ana.api('POST', '/holds', hold)).status).toBe(201)
  expect((await running).text).toContain('gateway.address-not-allowed')
  expect(Date.now() - heldAt).toBeLessThan(1_500)
})

proves('POL-3', 'neither the administrator nor a trusted proxy is stopped by a slip', async () => {
  const world = await startWorld({ env: { CASTELLAN_GATEWAY__TRUSTED_PROXIES: '127.0.0.64/30' } })
  const place = async (subject: string) => {
    const { body } = await world.ana.api('POST', '/holds', { ...hold, subject })
    return body['code'] ?? 'placed'
  }
  expect(await place('127.0.0.1')).toBe('admin.own-address')
  expect(await place('0.0.0.0/0')).toBe('admin.own-address')
  expect(await place('::1')).toBe('policy.hold-on-loopback')
  expect(await place('127.0.0.65')).toBe('admin.proxy-held')
  expect(await place('127.0.0.64/26')).toBe('admin.proxy-held')
  expect(await place('127.0.0.63')).toBe('placed')
  expect(await place('127.0.0.68')).toBe('placed')
})
