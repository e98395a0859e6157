/**
 * Two rules stand before Ben's payments: a lead has to approve them, and he has to prove a factor. Mallory, who runs his
 * client, has one of the two, and wants it to do for both; or two retries at once to take one each, and to leave with
 * another pair for later.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { call, decide, needsApproval, remedyIn, startApprovals } from '../world/step-up/approvals.ts'
import { linkIn, pay, prove } from '../world/step-up/payments.ts'

const both = `${needsApproval}
@id("proof") @remedy("step-up")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };
`
const needed = (code: string) => ({ status: 200, body: { error: { data: { code } } } })
const isPassed = { status: 200, body: { result: { content: [{ type: 'text' }] } } }

proves(
  ['APR-1', 'STU-1'],
  'a call that needs an approval and a factor is asked for both, and passes with both alone',
  async () => {
    const { world, ben, token, browser, lea } = await startApprovals({ policy: both })
    const second = await world.secondNode()
    const asked = await call(world, token)
    expect(asked).toMatchObject(needed('gateway.remedy-needed'))
    const [{ id, url = '' }, proof] = [remedyIn(asked), linkIn(asked)]
    expect(proof).not.toBe('')
    expect((await browser.request(new URL(url).pathname)).text).toContain(`href="${proof}"`)
    expect((await decide(lea, id)).status).toBe(200)
    const halfway = await call(world, token)
    expect(halfway).toMatchObject(needed('gateway.remedy-needed'))
    expect([remedyIn(halfway).id, linkIn(halfway)]).toEqual(['', proof])
    expect(await prove(browser, ben, proof)).toBe('Proved')
    expect(world.books.calls('tools/call')).toEqual([])
    const tries = [undefined, second.gatewayUrl, undefined, second.gatewayUrl].map((gatewayUrl) =>
      world.post({ token, message: pay(10), ...(gatewayUrl === undefined ? {} : { gatewayUrl }) }),
    )
    const answers = await Promise.all(tries)
    expect(answers.filter(({ body }) => 'result' in body)).toHaveLength(1)
    expect(answers.find(({ body }) => 'result' in body)).toMatchObject(isPassed)
    expect(world.books.calls('tools/call')).toHaveLength(1)
    const [intended] = (await world.ledger('&event=call.intended')).filter(({ details }) => details?.['remedy'])
    expect(intended?.details).toMatchObject({ remedy: { id, round: 0 }, stepUp: { round: 0 } })

    const again = await call(world, token)
    expect(await prove(browser, ben, linkIn(again))).toBe('Proved')
    const without = await call(world, token)
    expect(without).toMatchObject(needed('gateway.remedy-needed'))
    expect(remedyIn(without).missing).toEqual([{ kind: 'approval', count: 1 }])
    expect(world.books.calls('tools/call')).toHaveLength(1)
  },
  90_000,
)

proves(
  ['APR-1', 'APR-2'],
  'a person whose role was taken, or who was stopped, while their call waited has it denied all the same',
  async () => {
    const { world, token, lea } = await startApprovals()
    const { id } = remedyIn(await call(world, token))
    expect((await decide(lea, id)).status).toBe(200)
    await world.ana.api('DELETE', '/people/ben/roles/clerk')
    expect((await call(world, token)).body).not.toHaveProperty('result')
    await world.ana.api('PUT', '/people/ben/roles/clerk')
    await world.ana.api('POST', '/holds', { kind: 'tool', subject: 'books/echo', reason: 'looked at' })
    expect((await call(world, token)).body).not.toHaveProperty('result')
    expect(world.books.calls('tools/call')).toEqual([])
  },
  90_000,
)
