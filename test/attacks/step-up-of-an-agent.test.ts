/**
 * An agent was given a role whose calls need a fresh factor. No person stands behind its call: it tries the call in both
 * designs, says that it opens addresses, that its person went there, asks for a task, and reads the lists for what it could do.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { linkIn, pay, payModern, startPayments } from '../world/step-up/payments.ts'

proves(
  ['STU-2', 'STU-3'],
  'a call that no person makes is denied as one that was never granted, and nothing waits',
  async () => {
    const { world, ben, token } = await startPayments()
    const account = { name: 'nightly', purpose: 'pays at night', owner: 'ana', roles: ['payer'] }
    expect((await world.ana.api('POST', '/service-accounts', account)).status).toBe(201)
    const asked = { label: 'night', resource: `${world.gatewayUrl}/servers/books/mcp`, ttlSeconds: 600 }
    const minted = await world.ana.api('POST', '/service-accounts/nightly/tokens', asked)
    const agent = String(minted.body['token'])
    const accepted = { inputResponses: { 'castellan-step-up': { action: 'accept' } } }
    const read = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: 'book://1' } }
    const prompt = { jsonrpc: '2.0', id: 1, method: 'prompts/get', params: { name: 'summary' } }
    const tries = [
      { message: pay(10) },
      { message: pay(10, { task: {} }) },
      { message: read },
      { message: prompt },
      payModern(10),
      payModern(10, accepted),
      payModern(10, {}, {}),
    ]
    const never = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'secret_tool', arguments: {} } }
    const denied = await world.post({ token: agent, message: never })
    expect(denied).toMatchObject({ body: { error: { data: { code: 'gateway.not-granted' } } } })
    const told = (answer: typeof denied) => {
      const { code, data } = answer.body['error'] as { code: number; data: object }
      return [answer.status, code, Object.keys(data).toSorted()]
    }
    for (const sent of tries) {
      const answer = await world.post({ token: agent, ...sent })
      expect(answer).toMatchObject({ body: { error: { data: { code: 'gateway.not-granted' } } } })
      expect(linkIn(answer)).toBe('')
      expect(JSON.stringify(answer.body)).not.toMatch(/step-up/)
      expect(told(answer)).toEqual(told(denied))
    }
    const listed = await world.post({
      token: agent,
      message: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} },
    })
    expect(JSON.stringify(listed.body)).toContain('"slow"')
    expect(JSON.stringify(listed.body)).not.toContain('"echo"')

    const database = new DatabaseSync(join(world.dataDir, 'castellan.db'))
    const waiting = () => database.prepare('select count(*) as rows from step_ups').get()
    expect(waiting()).toEqual({ rows: 0 })
    expect(linkIn(await world.post({ token, message: pay(10) }))).not.toBe('')
    expect(waiting()).toEqual({ rows: 1 })
    database.close()
    const reached = world.books.calls().map(({ message }) => message?.method)
    for (const method of ['tools/call', 'resources/read', 'prompts/get']) expect(reached).not.toContain(method)
    const refused = (await world.ledger('&event=call.refused')).filter(({ principal }) => principal?.name === 'nightly')
    expect(refused.map(({ details }) => details?.['reason'])).toEqual([
      'not-granted',
      ...tries.map(() => 'no-remedy-here'),
    ])
    expect(refused.every(({ details }) => details?.['stepUp'] === undefined)).toBe(true)
    expect((await world.ledger('&event=call.refused')).at(-1)?.principal?.name).toBe(ben.name)
  },
)
