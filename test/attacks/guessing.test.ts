/**
 * Mallory guesses: Ben's password, then codes, then names that may exist. And she fails in Ben's name on purpose, to
 * lock him out of his own account.
 */
import { request } from 'node:http'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'

interface Tried {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly retryAfter: string | undefined
}

/** Signs in from one of the loopback addresses, as people at different places would. */
function signInFrom(world: World, from: string, body: Record<string, string>): Promise<Tried> {
  const { hostname, port } = new URL(world.adminUrl)
  return new Promise((resolve, reject) => {
    const headers = { host: `${hostname}:${port}`, 'content-type': 'application/json' }
    const options = { host: '127.0.0.1', port, localAddress: from, method: 'POST', path: '/api/v1/sign-in', headers }
    const sent = request(options, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += String(chunk)))
      response.on('end', () => {
        const parsed = JSON.parse(text) as Record<string, unknown>
        resolve({ status: response.statusCode ?? 0, body: parsed, retryAfter: response.headers['retry-after'] })
      })
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}

proves('SGN-4', 'after five failures guessing is blocked, the right password included', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const reached = world.books.arrived.length
  for (let guess = 0; guess < 5; guess += 1) {
    const tried = await signInFrom(world, '127.0.0.9', {
      name: 'ben',
      password: `guess number ${guess}`,
      code: '000000',
    })
    expect(tried.status).toBe(401)
  }
  const blocked = await signInFrom(world, '127.0.0.9', { name: 'ben', password: ben.password, code: ben.nextCode() })
  expect(blocked.status).toBe(429)
  expect(Number(blocked.retryAfter)).toBeGreaterThan(0)

  expect(world.books.arrived).toHaveLength(reached)
  expect(await world.ledger('&event=sign-in.refused')).toHaveLength(6)
})

proves('SGN-5', 'failing in the name of another person does not keep that person out', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const reached = world.books.arrived.length
  const before = { name: 'ben', password: ben.password, code: ben.nextCode() }
  expect((await signInFrom(world, '127.0.0.1', before)).status).toBe(200)
  for (let guess = 0; guess < 40; guess += 1) {
    const from = `127.0.0.${10 + (guess % 8)}`
    await signInFrom(world, from, { name: 'ben', password: `guess number ${guess}`, code: '000000' })
  }
  const own = await signInFrom(world, '127.0.0.1', { name: 'ben', password: ben.password, code: ben.nextCode() })
  expect(own.status).toBe(200)

  expect(world.books.arrived).toHaveLength(reached)
  const refused = await world.ledger('&event=sign-in.refused')
  expect(refused.length).toBe(40)
})

proves('SGN-6', 'known and unknown names, wrong passwords and wrong codes are answered alike', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const tries = [
    { name: 'ben', password: 'wrong password of ben', code: '000000' },
    { name: 'nobody', password: 'wrong password of ben', code: '000000' },
    { name: 'ben', password: ben.password, code: '000000' },
  ]
  const answers = []
  for (const [index, body] of tries.entries()) answers.push(await signInFrom(world, `127.0.1.${index + 1}`, body))
  const told = answers.map(({ status, body: { request_id: _, ...rest } }) => ({ status, ...rest }))
  expect(told[1]).toEqual(told[0])
  expect(told[2]).toEqual(told[0])
  expect(world.books.calls()).toHaveLength(0)
  expect(await world.ledger('&event=sign-in.refused')).toHaveLength(3)
})
