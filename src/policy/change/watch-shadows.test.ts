import { isRefusal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { openPolicy, type PolicyWorld } from '../../../test/world/policy.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'

const burn = { upstream: 'bank', kind: 'tool', name: 'burn' } as const
const text = `@id("no-burning") @shadow
forbid (principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool) when { resource.name == "burn" };
@id("broken") @shadow
forbid (principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool) when { resource.name == "burn" && context.texts.hasTag("why") && context.texts.getTag("why") == "fun" };
`

async function publishShadow({ policy, root }: PolicyWorld): Promise<void> {
  const files = [{ path: 'policies/house.cedar', text }]
  const draft = await policy.changes.drafts.make({ files, isPruning: false, note: '', by: root })
  if (isRefusal(draft)) throw new Error(draft.says)
  const asked = { id: draft.id, hash: draft.hash, mayWarn: true, note: '', by: root }
  const published = await policy.changes.publish(asked)
  if (isRefusal(published)) throw new Error(published.says)
}

eachDatabase('rules that are judged aside', (open) => {
  test('change no answer, also when they fail, and are recorded with what they would have done', async () => {
    const world = await openPolicy(await open())
    const { policy, root, ledger } = world
    await publishShadow(world)
    const put = {
      principal: root,
      permission: 'tools:call',
      target: burn,
      circumstances: { callArguments: { why: 1 } },
    } as const
    expect(policy.decide(root, 'tools:call', burn, put.circumstances).isAllowed).toBe(true)
    for (let call = 0; call < 300; call++) policy.shadows.note(put)
    await policy.shadows.flush()
    const found = await ledger.read({ event: 'policy.shadow-differed' })
    const details = found.map((one) => one.details ?? {})
    const told = details.find((one) => one['rule'] === 'house.cedar#no-burning')
    expect(told).toMatchObject({ snapshot: 2, judged: 256, missed: 44, deny: 256, allow: 0, fail: 0 })
    expect(told?.['samples']).toHaveLength(5)
    expect(details.find((one) => one['rule'] === 'house.cedar#broken')).toMatchObject({ fail: 256, deny: 0 })
  })

  test('are judged by themselves after a while, and cost nothing where there are none', async () => {
    const world = await openPolicy(await open())
    const { policy, root, ledger } = world
    const put = {
      principal: root,
      permission: 'tools:call',
      target: burn,
      circumstances: { callArguments: {} },
    } as const
    policy.shadows.note(put)
    await policy.shadows.flush()
    expect(await ledger.read({ event: 'policy.shadow-differed' })).toEqual([])
    await publishShadow(world)
    policy.shadows.note(put)
    await sleep(60)
    await policy.shadows.flush()
    const [entry] = await ledger.read({ event: 'policy.shadow-differed' })
    expect(entry?.details).toMatchObject({ judged: 1, missed: 0 })
  })
})
