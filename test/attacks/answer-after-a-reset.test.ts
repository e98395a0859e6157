/**
 * Ben's clients have met what strangers wrote. Lea has looked at it and sets it back. The strangers' server holds an answer
 * open until she has, on the other node; and a call of Ben's that came before waits for its approval meanwhile. What they
 * bring would be in nobody's book, and Ben's next call takes it out together with what is secret.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader } from '../world/castellan.ts'
import { startTrifecta, thirdLeg, type Trifecta } from '../world/flow/trifecta.ts'
import { callTool, modern } from '../world/messages.ts'
import { decide, needsApproval } from '../world/step-up/approvals.ts'

const patienceMs = 90_000

type Json = Record<string, unknown>

const isPassed = { status: 200, body: { result: { content: [{ type: 'text' }] } } }
const isSetBack = { error: { data: { code: 'gateway.labels-set-back' } } }

/** A call of a client that sends its person to addresses. */
const tool = (name: string, more: Json = {}) => {
  const sent = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, ...more } })
  const meta = (sent.message['params'] as Json)['_meta'] as Json
  meta['io.modelcontextprotocol/clientCapabilities'] = { elicitation: { url: {} } }
  return sent
}

async function setBack({ lea }: Trifecta): Promise<unknown> {
  const { status, body } = await lea.api('POST', '/people/ben/flow/reset', { reason: 'the page is gone' })
  expect(status, JSON.stringify(body)).toBe(200)
  return body['removed']
}

async function labels({ world }: Trifecta): Promise<unknown[]> {
  const { body } = await world.ana.api('GET', '/people/ben/flow')
  return (body['items'] as { label: string }[]).map(({ label }) => label).toSorted()
}

for (const database of ['sqlite', 'postgres'] as const) {
  proves(
    'FLO-2',
    `an answer that was held open until its labels were set back does not arrive, on whichever node (${database})`,
    async () => {
      const trifecta = await startTrifecta({ database })
      const { world, ben } = trifecta
      const mallory = await world.join('mallory', [reader])
      expect((await world.ana.api('PUT', `/people/ben/roles/${reader}`)).status).toBeLessThan(300)
      const second = await world.secondNode()
      const there = await second.mint(ben.sessionToken(), 'books')
      const running = [
        world.post({ token: await ben.mint('books'), message: callTool('slow') }),
        world.post({ token: there, gatewayUrl: second.gatewayUrl, message: callTool('slow') }),
      ]
      const other = world.post({ token: await mallory.mint('books'), message: callTool('drip') }).catch(() => undefined)
      await expect.poll(() => world.books.calls('tools/call').length, { timeout: 10_000 }).toBe(3)

      const sentBackAt = Date.now()
      expect(await setBack(trifecta)).toBe(2)
      for (const { body } of await Promise.all(running)) expect(body).toMatchObject(isSetBack)
      expect(Date.now() - sentBackAt).toBeLessThan(2_000)
      expect(await labels(trifecta)).toEqual([])
      const cut = await world.ledger('&event=call.cut')
      expect(cut).toMatchObject([{ refusal: 'gateway.labels-set-back', principal: { name: 'ben' } }])
      expect(await Promise.race([other, Promise.resolve('open')])).toBe('open')
      const sink = { token: await ben.mint('sink'), upstream: 'sink', ...tool('post') }
      expect(await world.post(sink)).toMatchObject(isPassed)
    },
    patienceMs,
  )

  proves(
    'FLO-2',
    `a call that waited while labels were set back keeps its own again before it goes on (${database})`,
    async () => {
      const policy = `${thirdLeg}\n${needsApproval.replace('"echo"', '"fetch"')}`
      const trifecta = await startTrifecta({ database, policy })
      const { world, ben, lea, servers } = trifecta
      const [web, crm, sink] = await Promise.all([ben.mint('web'), ben.mint('crm'), ben.mint('sink')])
      await world.post({ token: web, upstream: 'web', ...modern({ jsonrpc: '2.0', id: 1, method: 'resources/list' }) })
      expect(await labels(trifecta)).toEqual(['untrusted'])
      const fetched = { token: web, upstream: 'web' }
      await world.post({ ...fetched, ...tool('fetch') })
      const [{ id = '' } = {}] = (await lea.api('GET', '/approvals')).body['items'] as { id?: string }[]
      const accepted = { inputResponses: { 'castellan-step-up': { action: 'accept' } } }
      const waiting = world.post({ ...fetched, ...tool('fetch', accepted) })
      await new Promise((resume) => setTimeout(resume, 400))
      expect(await setBack(trifecta)).toBe(1)
      expect((await decide(lea, id)).status).toBe(200)
      expect(await waiting).toMatchObject(isPassed)

      expect(await labels(trifecta)).toEqual(['untrusted'])
      expect(await world.post({ token: crm, upstream: 'crm', ...tool('customer') })).toMatchObject(isPassed)
      const before = servers.sink.asked.length
      const out = await world.post({ token: sink, upstream: 'sink', ...tool('post') })
      expect(out.body['result']).toBeUndefined()
      expect(servers.sink.asked).toHaveLength(before)
      expect(await world.ledger('&event=flow.labelled')).toHaveLength(3)
    },
    patienceMs,
  )
}
