/**
 * Ben's payments need to know why, and his look-ups need his consent. Mallory has the link: she would say why in his stead,
 * consent for him, or deny his call; and his other client would use what he consented to for the first.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { call, decide, remedyIn, startApprovals } from '../world/step-up/approvals.ts'
import { pay } from '../world/step-up/payments.ts'

const isAsked = { status: 200, body: { error: { data: { code: 'gateway.remedy-needed' } } } }
const isPassed = { status: 200, body: { result: { content: [{ type: 'text' }] } } }

const justified = `
@id("why") @remedy("justification") @question("Which invoice?")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };
@id("eyes") @remedy("approval") @approvers("lead")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };
`
const consented = `
@id("look") @remedy("consent") @purpose("To look into your books") @within("10m")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };
`

proves(
  ['APR-1', 'APR-4'],
  'only the person whose call it is says why, and a call that needs both gets both asked',
  async () => {
    const { world, token, browser, lea } = await startApprovals({ policy: justified })
    const asked = remedyIn(await call(world, token))
    expect(asked.missing).toEqual([
      { kind: 'approval', count: 1 },
      { kind: 'justification', count: 1 },
    ])
    const path = new URL(asked.url ?? '').pathname
    const mallory = createPageClient(world.gatewayUrl)
    await mallory.signIn(await world.join('mallory', ['clerk', 'lead']))
    expect((await mallory.request(path)).status).toBe(404)
    const [opened] = await world.ledger('&event=remedy.refused')
    expect(opened).toMatchObject({ principal: { name: 'mallory' }, details: { remedy: asked.id } })
    const page = await browser.request(path)
    expect(page.text).toContain('Which invoice?')
    const rule = /name="rule" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    for (const fields of [{ 'answer-is': 'justify', rule, said: 'mine' }, { 'answer-is': 'decline' }]) {
      expect((await mallory.submit('/account', { ...fields }, path).catch(() => ({ status: 403 }))).status).not.toBe(
        200,
      )
    }
    expect((await decide(lea, asked.id)).body).toMatchObject({ state: 'waiting', missing: 1 })
    expect(await call(world, token)).toMatchObject(isAsked)
    const said = await browser.submit(path, { 'answer-is': 'justify', rule, said: '<b>invoice</b> 4711' }, path)
    expect(said.status).toBe(303)
    expect((await browser.request(path)).text).toContain('This call may pass')
    expect(await call(world, token)).toMatchObject(isPassed)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    const [entry] = await world.ledger('&event=justification.given')
    expect(entry).toMatchObject({
      principal: { name: 'ben' },
      details: { remedy: asked.id, said: '<b>invoice</b> 4711' },
    })
    // WHY: what was said for one call is not said for the next.
    expect(remedyIn(await call(world, token)).missing).toHaveLength(2)
  },
  90_000,
)

proves(
  'APR-4',
  'a consent is for one client and a time, is seen on the account page, and is taken back there',
  async () => {
    const { world, ben, token, browser } = await startApprovals({ policy: consented })
    const { url } = remedyIn(await call(world, token))
    const path = new URL(url ?? '').pathname
    const rule = /name="rule" value="([^"]+)"/.exec((await browser.request(path)).text)?.[1] ?? ''
    expect((await browser.submit(path, { 'answer-is': 'consent', rule }, path)).status).toBe(303)
    expect(await call(world, token)).toMatchObject(isPassed)
    expect(await call(world, token, pay(11))).toMatchObject(isPassed)
    expect(await call(world, await ben.mint('books'))).toMatchObject(isAsked)
    const account = await browser.request('/account')
    expect(account.text).toContain('To look into your books')
    const id = /action="\/account\/consents"[\s\S]*?name="id" value="([^"]+)"/.exec(account.text)?.[1] ?? ''
    const mallory = createPageClient(world.gatewayUrl)
    await mallory.signIn(await world.join('mallory', ['clerk']))
    expect((await mallory.request('/account')).text).not.toContain('To look into your books')
    expect((await browser.submit('/account', { id }, '/account/consents')).status).toBe(303)
    expect(await call(world, token, pay(12))).toMatchObject(isAsked)
    expect(world.books.calls('tools/call')).toHaveLength(2)
    expect((await world.ledger('&event=consent.given')).length).toBe(1)
    expect((await world.ledger('&event=consent.revoked')).length).toBe(1)
  },
  90_000,
)
