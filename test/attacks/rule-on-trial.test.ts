/**
 * Ana tries a rule out before it counts. Mallory hopes that one of two things happens: that a rule on trial opens what no
 * role of hers grants, or that one which cannot be judged stops everybody's calls.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'

const text = `@id("opens") @shadow
permit (principal, action, resource);
@id("stops") @shadow
forbid (principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool) when { resource.name == "echo" };
@id("fails") @shadow
forbid (principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool)
when { context.numbers.hasTag("text") && context.numbers.getTag("text") > 1 };
`

proves(
  'CHG-4',
  'a rule on trial neither opens nor stops anything, also when it fails, and what it would have done is on record',
  async () => {
    const world = await startWorld()
    const { ana, books } = world
    const mallory = await world.join('mallory', [reader])
    const files = [{ path: 'policies/trial.cedar', text }]
    const { body } = await ana.api('POST', '/policy/drafts', { files })
    const asked = { hash: body['hash'], acceptWarnings: true }
    expect((await ana.api('POST', `/policy/drafts/${String(body['id'])}/publish`, asked)).status).toBe(200)
    const token = await mallory.mint('books')
    const before = books.calls('tools/call').length
    const echoed = await world.post({ token, message: callTool('echo') })
    expect(echoed.status).toBe(200)
    const secret = await world.post({ token, message: callTool('secret_tool') })
    expect(JSON.stringify([secret.body, secret.events])).toContain('gateway.not-granted')
    expect(books.calls('tools/call')).toHaveLength(before + 1)
    await expect
      .poll(async () => (await world.ledger('&event=policy.shadow-differed')).length, { timeout: 5_000 })
      .toBe(3)
    const told = (await world.ledger('&event=policy.shadow-differed')).map(({ details = {} }) => details)
    const of = (rule: string) => told.find((one) => one['rule'] === `trial.cedar#${rule}`)
    expect(of('stops')).toMatchObject({ deny: 1, allow: 0 })
    expect(of('opens')).toMatchObject({ allow: 1, deny: 0 })
    expect(of('fails')).toMatchObject({ fail: 1 })
    expect((await world.ledger('&event=call.completed')).length).toBe(1)
  },
  60_000,
)
