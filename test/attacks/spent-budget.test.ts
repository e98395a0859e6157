/**
 * Somebody's budget is used up. They go on: with other tokens, at the address of all servers, through a bundle, with many
 * calls at once, and with calls that are refused on purpose, to spend what is somebody else's.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { obtainTokens } from '../world/oauth/client.ts'
import { call, decide, remedyIn, startApprovals } from '../world/step-up/approvals.ts'
import { pay } from '../world/step-up/payments.ts'

const reads = { kind: 'principal', meter: 'calls', period: 'day' }

proves(
  'LIM-4',
  'a spent budget refuses on every way, in words that say when it is filled, and nothing reaches the server',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [reader])
    expect((await world.ana.api('POST', '/bundles', { name: 'desk', upstreams: ['books'] })).status).toBe(201)
    const set = await world.ana.api('PUT', '/budgets', { ...reads, subject: 'ben', amount: 3 })
    expect(set.status, JSON.stringify(set.body)).toBe(200)
    const [one, other, joint, bundle] = [
      await ben.mint('books'),
      await ben.mint('books'),
      await ben.mint('/mcp'),
      await ben.mint('/bundles/desk/mcp'),
    ]
    const named = (name: string) =>
      modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } })
    expect((await world.post({ token: one, message: callTool('echo') })).status).toBe(200)
    expect((await world.post({ token: joint, upstream: '/mcp', ...named('books__echo') })).status).toBe(200)
    expect((await world.post({ token: bundle, upstream: '/bundles/desk/mcp', ...named('books__echo') })).status).toBe(
      200,
    )
    const refused = [
      ...(await Promise.all(Array.from({ length: 5 }, () => world.post({ token: one, message: callTool('echo') })))),
      await world.post({ token: other, message: callTool('echo') }),
      await world.post({ token: joint, upstream: '/mcp', ...named('books__echo') }),
      await world.post({ token: bundle, upstream: '/bundles/desk/mcp', ...named('books__echo') }),
    ]
    for (const { status, body, headers } of refused) {
      expect(status, JSON.stringify(body)).toBe(429)
      expect(body).toMatchObject({ error: { data: { code: 'policy.budget-spent' } } })
      expect(JSON.stringify(body)).toContain('3 calls per day')
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect(world.books.calls('tools/call')).toHaveLength(3)
    const entries = await world.ledger('&event=call.refused&refusal=policy.budget-spent')
    expect(entries).toHaveLength(refused.length)
    for (const entry of entries) expect(entry).toMatchObject({ details: { guard: 'spend-budget', amount: 3 } })
    expect((await world.post({ token: await world.ana.mint('books'), message: callTool('echo') })).status).toBe(200)
  },
)

proves('LIM-4', 'calls that are refused spend nothing of what others share', async () => {
  const world = await startWorld()
  const [ben, mallory] = [await world.join('ben', [reader]), await world.join('mallory', [])]
  const shared = { kind: 'upstream', subject: 'books', meter: 'calls', period: 'month', amount: 2 }
  expect((await world.ana.api('PUT', '/budgets', shared)).status).toBe(200)
  const strange = await mallory.mint('books')
  for (let at = 0; at < 5; at += 1) {
    expect((await world.post({ token: strange, message: callTool('echo') })).status).not.toBe(200)
  }
  const token = await ben.mint('books')
  const statuses = []
  for (let at = 0; at < 3; at += 1) statuses.push((await world.post({ token, message: callTool('echo') })).status)
  expect(statuses).toEqual([200, 200, 429])
  const told = await world.post({ token: strange, message: callTool('echo') })
  expect(JSON.stringify(told.body)).not.toMatch(/budget|month/)
})

proves('LIM-4', 'an answer that is larger than what is left is the last one', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  const bytes = { kind: 'tool', subject: 'books/echo', meter: 'bytes', period: 'hour', amount: 10 }
  const set = await world.ana.api('PUT', '/budgets', bytes)
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(429)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  const { body } = await world.ana.api('GET', `/budgets/${String(set.body['id'])}`)
  const taken = body['taken'] as { taken: number }[]
  expect(taken[0]?.taken).toBeGreaterThan(10)
})

for (const database of ['sqlite', 'postgres'] as const) {
  proves(
    ['LIM-4', 'APR-1'],
    `a call that a budget refuses uses up no approval, and one that its approval does not let pass spends nothing (${database})`,
    async () => {
      const { world, ben, lea } = await startApprovals({ database })
      const second = await world.secondNode()
      const tokensAt = (gatewayUrl: string, clientId?: string) =>
        obtainTokens(gatewayUrl, ben, {
          resource: `${gatewayUrl}/servers/books/mcp`,
          ...(clientId === undefined ? {} : { clientId }),
        })
      const { accessToken: token, clientId } = await tokensAt(world.gatewayUrl)
      // WHY: the same client at the other node: what is given for it counts there, too.
      const { accessToken: there } = await tokensAt(second.gatewayUrl, clientId)
      const budget = { kind: 'tool', subject: 'books/echo', meter: 'calls', period: 'day' }
      const setAmount = async (amount: number) =>
        expect((await world.ana.api('PUT', '/budgets', { ...budget, amount })).status).toBe(200)
      const approved = async (amount: number) => {
        const { id } = remedyIn(await call(world, token, pay(amount)))
        expect((await decide(lea, id)).status).toBe(200)
        return id
      }
      const everywhere = (amount: number) =>
        Promise.all(
          [world, second, world, second].map(({ gatewayUrl }) =>
            world.post({ token: gatewayUrl === world.gatewayUrl ? token : there, message: pay(amount), gatewayUrl }),
          ),
        )
      await setAmount(2)
      await approved(1)
      // WHY: three of the four took from the budget before they found the approval gone.
      expect((await everywhere(1)).filter(({ body }) => 'result' in body)).toHaveLength(1)
      await approved(2)
      expect((await everywhere(2)).filter(({ body }) => 'result' in body)).toHaveLength(1)

      const id = await approved(3)
      for (const { status, body } of await everywhere(3)) {
        expect(status, JSON.stringify(body)).toBe(429)
        expect(body).toMatchObject({ error: { data: { code: 'policy.budget-spent' } } })
      }
      expect((await lea.api('GET', `/approvals/${id}`)).body).toMatchObject({ state: 'ready' })
      expect(world.books.calls('tools/call')).toHaveLength(2)
      await setAmount(3)
      await expect.poll(async () => (await call(world, token, pay(3))).status, { timeout: 5_000 }).toBe(200)
      expect(world.books.calls('tools/call')).toHaveLength(3)
      expect(remedyIn(await call(world, token, pay(3))).id).not.toBe(id)
      const refused = await world.ledger('&event=call.refused&refusal=policy.budget-spent')
      expect(refused.length).toBeGreaterThanOrEqual(2)
      for (const { details } of refused) expect(details).toMatchObject({ guard: 'authorize-call', amount: 2 })
    },
    90_000,
  )
}
