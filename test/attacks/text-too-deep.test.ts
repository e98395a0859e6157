/**
 * Mallory may only read roles. She has a folder looked at whose rule is a few kilobytes of brackets: Cedar's engine runs over
 * its stack, and whatever it is asked from then on, it answers nothing. Nobody could publish anything any more, and a node
 * that has to load what another one published would deny everything.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { publishPolicy } from '../world/step-up/approvals.ts'

const within = (before: string, after: string): string =>
  `${before}${'('.repeat(2_000)}true${')'.repeat(2_000)}${after}`
const stop = `@id("stop")
forbid (principal, action in Castellan::Action::"tools:call", resource)
when { context.texts.hasTag("text") && context.texts.getTag("text") == "stop" };
`

proves(
  'CHG-8',
  'a text on which the engine gives up is told as one, and the next one is read, published and judged',
  async () => {
    const world = await startWorld()
    const { ana } = world
    const grants = [{ permissions: ['roles:read'], resources: ['castellan'] }]
    expect((await ana.api('PUT', '/roles/looker', { grants })).status).toBe(200)
    const mallory = await world.join('mallory', ['looker'])
    const ben = await world.join('ben', [reader])
    const token = await ben.mint('books')

    const text = within('permit (principal, action, resource) when { ', ' };')
    const looked = await mallory.api('POST', '/policy/check', { files: [{ path: 'policies/deep.cedar', text }] })
    expect(looked).toMatchObject({ status: 200, body: { findings: [{ file: 'deep.cedar', line: 1 }] } })
    expect(JSON.stringify(looked.body)).toContain('brackets')
    const inRole = { permissions: ['tools:call'], resources: ['books/*'], when: within('', '') }
    const put = await ana.api('PUT', '/roles/deep', { grants: [inRole] })
    expect([put.status, JSON.stringify(put.body)]).toEqual([400, expect.stringContaining('brackets')])

    await publishPolicy(ana, stop)
    expect(await world.post({ token, message: callTool('echo', 'go') })).toMatchObject({ body: { result: {} } })
    expect(await world.post({ token, message: callTool('echo', 'stop') })).toHaveProperty(
      'body.error.data.code',
      'gateway.ruled-out',
    )
  },
  60_000,
)
