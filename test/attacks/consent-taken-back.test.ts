/**
 * A rule keeps Ben's letters shut until he has consented to a purpose. His client goes on as if he still did: with a call that
 * is open when he takes it back, when it ends by itself or when the rule is written anew; by another node; with the token of
 * another client; and Mallory does with her own.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import type { World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { type Approvals, publishPolicy, remedyIn, startApprovals } from '../world/step-up/approvals.ts'
import { pay } from '../world/step-up/payments.ts'

const patienceMs = 90_000
const purpose = 'To look into your books'

const policy = (within: string) => `
@id("look") @remedy("consent") @purpose("${purpose}") @within("${within}")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };
@id("letters")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "slow" }
unless { context.consents.contains("${purpose}") };
`

const isDenied = { body: { error: { data: { code: 'gateway.ruled-out' } } } }
const isCut = { body: { error: { data: { code: 'gateway.consent-ended' } } } }

/** Through the page of the first node, whichever node asked. */
async function consent({ world, token, browser }: Approvals, gatewayUrl = world.gatewayUrl): Promise<void> {
  const path = new URL(remedyIn(await world.post({ token, gatewayUrl, message: pay(10) })).url ?? '').pathname
  const rule = /name="rule" value="([^"]+)"/.exec((await browser.request(path)).text)?.[1] ?? ''
  expect((await browser.submit(path, { 'answer-is': 'consent', rule }, path)).status).toBe(303)
}

async function takeBack({ browser }: Approvals): Promise<void> {
  for (;;) {
    const { text } = await browser.request('/account')
    const id = /action="\/account\/consents"[\s\S]*?name="id" value="([^"]+)"/.exec(text)?.[1]
    if (id === undefined) return
    expect((await browser.submit('/account', { id }, '/account/consents')).status).toBe(303)
  }
}

function slow(world: World, token: string, gatewayUrl = world.gatewayUrl): ReturnType<World['post']> {
  return world.post({ token, gatewayUrl, message: callTool('slow') })
}

async function listed(world: World, token: string): Promise<unknown> {
  const { body } = await world.post({ token, message: { jsonrpc: '2.0', id: 1, method: 'tools/list' } })
  return (body['result'] as { tools: { name: string }[] }).tools.some(({ name }) => name === 'slow')
}

async function opened(world: World, count: number): Promise<void> {
  await expect.poll(() => world.books.calls('tools/call').length, { timeout: 10_000 }).toBe(count)
}

for (const database of ['sqlite', 'postgres'] as const) {
  proves(
    'APR-4',
    `what a rule lets pass for a consent ends with it, on every node and in the middle of a call (${database})`,
    async () => {
      const approvals = await startApprovals({ database, policy: policy('1h') })
      const { world, ben, token } = approvals
      const second = await world.secondNode()
      const there = await second.mint(ben.sessionToken(), 'books')
      expect(await listed(world, token)).toBe(false)
      expect(await slow(world, token)).toMatchObject(isDenied)
      await consent(approvals)
      expect(await listed(world, token)).toBe(true)
      const other = await ben.mint('books')
      const mallory = await world.join('mallory', ['clerk'])
      for (const stranger of [other, await mallory.mint('books')]) {
        expect(await slow(world, stranger)).toMatchObject(isDenied)
        expect(await listed(world, stranger)).toBe(false)
      }
      expect(await slow(world, there, second.gatewayUrl)).toMatchObject(isDenied)
      await consent({ ...approvals, token: there }, second.gatewayUrl)

      const running = [slow(world, token), slow(world, there, second.gatewayUrl)]
      await opened(world, 2)
      const takenBackAt = Date.now()
      await takeBack(approvals)
      for (const answer of await Promise.all(running)) expect(answer).toMatchObject(isCut)
      expect(Date.now() - takenBackAt).toBeLessThan(2_000)
      expect(await slow(world, token)).toMatchObject(isDenied)
      expect(await slow(world, there, second.gatewayUrl)).toMatchObject(isDenied)
      expect(await listed(world, token)).toBe(false)
      expect(world.books.calls('tools/call')).toHaveLength(2)
    },
    patienceMs,
  )

  proves(
    ['APR-3', 'APR-4'],
    `a consent that has ended, or was given to another rule, opens nothing (${database})`,
    async () => {
      const approvals = await startApprovals({ database, policy: policy('10m') })
      const { world, token } = approvals
      await consent(approvals)
      const running = slow(world, token)
      await opened(world, 1)
      world.clock.advance(10 * 60_000)
      expect(await running).toMatchObject(isCut)
      expect(await slow(world, token)).toMatchObject(isDenied)

      await consent(approvals)
      expect(await listed(world, token)).toBe(true)
      const again = slow(world, token)
      await opened(world, 2)
      await publishPolicy(world.ana, policy('2h'))
      expect(await again).toMatchObject(isCut)
      expect(await slow(world, token)).toMatchObject(isDenied)
      expect(world.books.calls('tools/call')).toHaveLength(2)
    },
    patienceMs,
  )
}
