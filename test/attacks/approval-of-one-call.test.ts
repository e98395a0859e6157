/**
 * Payments of Ben's wait until one of the leads has approved them. Ben, or whoever runs his client, wants more than the one
 * call that Lea looked at: the same again, another amount, a member beside it, another client of his, a little later; and he
 * would rather approve it himself.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import {
  call,
  callAsWritten,
  decide,
  needsApproval,
  publishPolicy,
  remedyIn,
  startApprovals,
} from '../world/step-up/approvals.ts'
import { pay, payModern } from '../world/step-up/payments.ts'

const isAsked = { status: 200, body: { error: { code: 403, data: { code: 'gateway.remedy-needed' } } } }
const isPassed = { status: 200, body: { result: { content: [{ type: 'text' }] } } }
const refusedWith = (code: string) => ({ status: 200, body: { error: { data: { code } } } })

for (const database of ['sqlite', 'postgres'] as const) {
  proves(
    'APR-1',
    `an approval lets exactly the call pass that was looked at, once (${database})`,
    async () => {
      const { world, token, lea } = await startApprovals({ database })
      const asked = await call(world, token)
      expect(asked).toMatchObject(isAsked)
      const { id, url, missing } = remedyIn(asked)
      expect(url).toBe(`${world.gatewayUrl}/remedies/${id}`)
      expect(missing).toEqual([{ kind: 'approval', count: 1 }])
      expect(remedyIn(await call(world, token)).id).toBe(id)
      const shown = await lea.api('GET', `/approvals/${id}`)
      expect(shown.body).toMatchObject({
        person: 'ben',
        name: 'echo',
        upstream: 'books',
        call: '{"arguments":{"amount":10}}',
      })
      const given = await decide(lea, id)
      expect(given).toMatchObject({ status: 200, body: { state: 'ready', missing: 0 } })

      const others = [
        pay(11),
        pay('10'),
        pay(10.000001),
        pay(10, { task: {} }),
        pay(10, { more: 1 }),
        pay(10, { arguments: { amount: 10, to: 'mallory' } }),
        pay(10, { arguments: { Amount: 10 } }),
        pay(10, { arguments: { '\u0430mount': 10 } }),
        pay(10, { arguments: {} }),
      ]
      for (const other of others) {
        const answer = await call(world, token, other)
        expect(answer).toMatchObject(isAsked)
        expect(remedyIn(answer).id).not.toBe(id)
      }
      expect(world.books.calls('tools/call')).toEqual([])
      // WHY: the same call in other letters is the same call: key order, spelling of numbers, what travels with it.
      const text = `{"params": {"_meta":{"progressToken":7,"x-more":{"amount":99}},"arguments":{"amount":1.0e1},"name":"echo"},"method":"tools/call","id":7,"jsonrpc":"2.0"}`
      expect(await callAsWritten(world, token, text)).toMatchObject(isPassed)
      const [passed, ...more] = world.books.calls('tools/call')
      expect(more).toEqual([])
      expect(passed?.body).not.toContain('x-more')
      expect(passed?.message?.params?.['_meta']).toEqual({ progressToken: 7 })
      const again = await call(world, token)
      expect(again).toMatchObject(isAsked)
      expect(remedyIn(again).id).not.toBe(id)
      expect(world.books.calls('tools/call')).toHaveLength(1)

      const [intended] = (await world.ledger('&event=call.intended')).filter(({ details }) => details?.['remedy'])
      expect(intended?.details?.['remedy']).toMatchObject({ id, round: 0 })
      const [approved] = await world.ledger('&event=approval.given')
      expect(approved).toMatchObject({
        principal: { name: 'lea' },
        target: { upstream: 'books', kind: 'tool', name: 'echo' },
      })
      expect(approved?.details).toMatchObject({ remedy: id, said: 'checked' })
      const refused = (await world.ledger('&event=call.refused')).filter(({ details }) => details?.['remedy'] === id)
      expect(refused).toHaveLength(2)
      expect((await world.ledger('&event=remedy.asked')).length).toBeGreaterThan(0)
    },
    90_000,
  )

  proves(
    'APR-1',
    `of four retries at once one passes with an approval, and none with another token at another node (${database})`,
    async () => {
      const { world, ben, token, lea } = await startApprovals({ database })
      const second = await world.secondNode()
      const there = await second.mint(ben.sessionToken(), 'books')
      for (let round = 0; round < 4; round += 1) {
        const { id } = remedyIn(await call(world, token, pay(round)))
        expect((await decide(lea, id)).status).toBe(200)
        // WHY: another token is another client, and the approval is not for it, whichever node it asks.
        expect(await world.post({ token: there, gatewayUrl: second.gatewayUrl, message: pay(round) })).toMatchObject(
          isAsked,
        )
        const answers = await Promise.all(Array.from({ length: 4 }, () => call(world, token, pay(round))))
        expect(answers.filter(({ body }) => 'result' in body)).toHaveLength(1)
        expect(world.books.calls('tools/call')).toHaveLength(round + 1)
      }
    },
    90_000,
  )
}

proves(
  'APR-2',
  'nobody approves their own call, and whoever has not the role hears of none',
  async () => {
    const { world, ben, token, lea } = await startApprovals()
    await world.ana.api('PUT', '/people/ben/roles/lead')
    const { id } = remedyIn(await call(world, token))
    expect(await decide(ben, id)).toMatchObject({ status: 403, body: { code: 'policy.approval-of-own-call' } })
    expect((await ben.api('GET', '/approvals')).body).toEqual({ items: [] })
    expect(await decide(world.ana, id)).toMatchObject({ status: 404, body: { code: 'policy.approval-unknown' } })
    expect((await world.ana.api('GET', `/approvals/${id}`)).status).toBe(404)
    const eve = await world.join('eve', ['clerk'])
    expect((await decide(eve, id)).status).toBe(403)
    expect(await call(world, token)).toMatchObject(isAsked)

    const account = { name: 'nightly', purpose: 'pays at night', owner: 'lea', roles: ['clerk'] }
    expect((await world.ana.api('POST', '/service-accounts', account)).status).toBe(201)
    const asked = { label: 'night', resource: `${world.gatewayUrl}/servers/books/mcp`, ttlSeconds: 600 }
    const minted = await world.ana.api('POST', '/service-accounts/nightly/tokens', asked)
    const agent = String(minted.body['token'])
    const headless = await call(world, agent)
    expect(headless).toMatchObject(isAsked)
    const own = remedyIn(headless)
    expect(own.url).toBeUndefined()
    expect(JSON.stringify(headless.body)).not.toContain('/remedies/')
    expect(await decide(lea, own.id)).toMatchObject({ status: 403, body: { code: 'policy.approval-of-own-call' } })
    // WHY: Ben is a lead as well, and has nothing to do with this program.
    expect((await decide(ben, own.id)).status).toBe(200)
    expect(await call(world, token)).toMatchObject(isAsked)
    expect(await call(world, agent)).toMatchObject(isPassed)
    expect(world.books.calls('tools/call')).toHaveLength(1)
  },
  90_000,
)

proves(
  'APR-2',
  'an approver who lost the role, or is stopped, before deciding or before it is used, does not count',
  async () => {
    const { world, token, lea } = await startApprovals()
    const max = await world.join('max', ['lead'])
    const first = remedyIn(await call(world, token))
    await world.ana.api('DELETE', '/people/lea/roles/lead')
    expect((await decide(lea, first.id)).status).toBe(403)
    await world.ana.api('PUT', '/people/lea/roles/lead')
    expect((await decide(lea, first.id)).status).toBe(200)
    await world.ana.api('DELETE', '/people/lea/roles/lead')
    expect(await call(world, token)).toMatchObject(isAsked)
    await world.ana.api('PUT', '/people/lea/roles/lead')
    expect(await call(world, token)).toMatchObject(isAsked)
    expect((await decide(max, first.id)).status).toBe(200)
    await world.ana.api('POST', '/holds', { kind: 'person', subject: 'max', reason: 'gone' })
    expect(await call(world, token)).toMatchObject(isAsked)
    expect((await decide(lea, first.id)).status).toBe(200)
    expect(await call(world, token)).toMatchObject(isPassed)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    expect((await world.ledger('&event=remedy.voided')).length).toBe(2)
  },
  90_000,
)

proves(
  'APR-3',
  'what comes too late, was denied, or was given under a rule that has changed, is worth nothing',
  async () => {
    const { world, token, lea } = await startApprovals()
    const late = remedyIn(await call(world, token))
    world.clock.advance(15 * 60_000)
    await lea.signIn()
    await world.ana.signIn()
    expect((await decide(lea, late.id)).status).toBe(404)
    expect(await call(world, token)).toMatchObject(refusedWith('policy.call-not-approved-in-time'))
    world.clock.advance(5 * 60_000)
    const denied = remedyIn(await call(world, token))
    expect((await decide(lea, denied.id, 'deny')).status).toBe(200)
    expect(await call(world, token)).toMatchObject(refusedWith('policy.call-denied'))
    world.clock.advance(5 * 60_000)
    const third = remedyIn(await call(world, token))
    expect((await decide(lea, third.id)).status).toBe(200)
    world.clock.advance(15 * 60_000)
    expect(await call(world, token)).toMatchObject(isAsked)

    const fourth = remedyIn(await call(world, token))
    expect((await decide(lea, fourth.id)).status).toBe(200)
    await publishPolicy(
      world.ana,
      `${needsApproval}\n@id("more")\nforbid (principal, action, resource) when { resource has name && resource.name == "none" };`,
    )
    expect(await call(world, token)).toMatchObject(isPassed)
    const fifth = remedyIn(await call(world, token))
    expect((await decide(lea, fifth.id)).status).toBe(200)
    await publishPolicy(world.ana, needsApproval.replace('"15m"', '"16m"'))
    const anew = await call(world, token)
    expect(anew).toMatchObject(isAsked)
    expect(remedyIn(anew).id).not.toBe(fifth.id)
    expect((await lea.api('GET', `/approvals/${fifth.id}`)).status).toBe(404)
    expect((await decide(lea, remedyIn(anew).id)).status).toBe(200)
    await publishPolicy(
      world.ana,
      'forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };',
    )
    expect(await call(world, token)).toMatchObject({
      status: 200,
      body: { error: { data: { code: expect.not.stringMatching('remedy') } } },
    })
    expect(world.books.calls('tools/call')).toHaveLength(1)
  },
  90_000,
)

proves(
  'APR-1',
  'a client of 2026-07-28 is sent to the page, waits, and passes when somebody has approved',
  async () => {
    const { world, token, browser, lea } = await startApprovals()
    const ask = (more = {}) => world.post({ token, ...payModern(10, more, { url: {} }) })
    const asked = JSON.stringify((await ask()).body)
    const [, path = ''] = /"url":"https?:\/\/[^/"]+(\/remedies\/[A-Za-z0-9_-]{43})"/.exec(asked) ?? []
    const page = await browser.request(path)
    expect(page.text).toContain('This call waits')
    expect(page.text).toContain('Waits for 1 approval by lead')
    const going = ask({ inputResponses: { 'castellan-step-up': { action: 'accept' } } })
    expect((await decide(lea, path.slice('/remedies/'.length))).status).toBe(200)
    expect(await going).toMatchObject(isPassed)
    expect((await browser.request(path)).text).toContain('This call has passed')
    expect(world.books.calls('tools/call')).toHaveLength(1)
  },
  90_000,
)
