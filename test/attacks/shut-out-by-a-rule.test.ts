/**
 * Mallory brings a rule that reads like protection: whoever has met what strangers wrote does nothing. It names no action, and
 * the admin plane knows no flow, so from its publication on nobody could take it back.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { publishPolicy } from '../world/step-up/approvals.ts'

const broad = `@id("third-leg")
forbid (principal, action, resource)
when { context.flow.contains("untrusted") && context.flow.contains("sensitivity:restricted") };
`
const hereOnly = '@id("here-only")\nforbid (principal, action, resource) unless { context.address.isLoopback() };\n'
const some = '@id("some")\nforbid (principal in Castellan::Role::"helper", action, resource);\n'

const keepers = `@id("keepers")
forbid (principal, action == Castellan::Action::"roles:write", resource) unless { principal in Castellan::Role::"keeper" };
`

proves('CHG-6', 'a role without which nobody could change the policy again is not removed', async () => {
  const { ana, ledger } = await startWorld()
  const grants = [{ permissions: ['tools:call'], resources: ['books/tools/echo'] }]
  expect((await ana.api('PUT', '/roles/keeper', { grants })).status).toBe(200)
  expect((await ana.api('PUT', '/people/ana/roles/keeper', {})).status).toBe(200)
  await publishPolicy(ana, keepers)
  const { status, body } = await ana.api('DELETE', '/roles/keeper')
  expect([status, body['code']]).toEqual([422, 'policy.lint-failed'])
  expect((await ana.api('PUT', '/roles/keeper', { grants: [] })).status).toBe(200)
  expect((await ana.api('PUT', '/roles/spare', { grants })).status).toBe(200)
  expect((await ana.api('DELETE', '/roles/spare')).status).toBe(200)
  expect(await ledger('&refusal=policy.lint-failed')).toHaveLength(1)
})

proves(
  'CHG-6',
  'a rule by which nobody could change the policy again is not published, whoever accepts what',
  async () => {
    const world = await startWorld()
    const { ana } = world
    const mallory = await world.join('mallory', ['admin'])
    const publish = async (text: string, acceptWarnings: boolean) => {
      const files = [{ path: 'policies/house.cedar', text }]
      const { body: draft } = await mallory.api('POST', '/policy/drafts', { files, note: '' })
      const { id, hash } = draft
      return mallory.api('POST', `/policy/drafts/${String(id)}/publish`, { hash, acceptWarnings })
    }
    const before = (await ana.api('GET', '/policy/snapshot')).body['version']
    for (const text of [broad, hereOnly]) {
      const { status, body } = await publish(text, true)
      expect([status, body['code']]).toEqual([422, 'policy.lint-failed'])
      expect(JSON.stringify(body)).toContain('nobody could change the policy again')
    }
    expect((await ana.api('PUT', '/roles/helper', { grants: [] })).status).toBe(200)
    expect((await ana.api('PUT', '/people/mallory/roles/helper', {})).status).toBe(200)
    expect(await publish(some, false)).toMatchObject({ body: { code: 'policy.warnings-unaccepted' } })
    expect((await ana.api('GET', '/policy/snapshot')).body['version']).toBe(Number(before) + 1)
    expect(world.books.calls('tools/call')).toEqual([])
    expect(await world.ledger('&refusal=policy.lint-failed')).toHaveLength(2)
    expect(await world.ledger('&refusal=policy.warnings-unaccepted')).toHaveLength(1)
  },
)
