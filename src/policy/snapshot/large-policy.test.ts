import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { manyRules, mostHeldMs, watchThread } from '../../../test/world/policies/large-policy.ts'
import { openPolicy, principalOf } from '../../../test/world/policy.ts'
import { createPolicy } from '../policy.ts'
import { publish, readCurrent } from './publish.ts'

eachDatabase('a large policy', (open, openAgain) => {
  test('neither who publishes it nor who loads it stands still, and the old one decides until the new one is whole', async () => {
    const { database, policy, ledger, clock } = await openPolicy(await open())
    const other = await createPolicy({ database: await openAgain(database), ledger, clock })
    const { document, snapshot } = await readCurrent(database.query)
    const version = snapshot.version + 1
    const files = [{ name: 'large.cedar', text: manyRules(1_000, 'notes') }]
    const heldMs = watchThread()
    const made = await database.transaction((rows) =>
      publish(rows, { version, document: { ...document, files }, createdAt: clock.now() }),
    )
    expect(isRefusal(made)).toBe(false)
    const person = principalOf('p', 'ada', 'r3')
    const ask = (asked: typeof policy) =>
      asked.decide(person, 'tools:call', { upstream: 'notes-3', kind: 'tool', name: 't3' }, { callArguments: { n: 1 } })
    const loads = [policy, other].map(async (asked) => {
      const seen = new Set<number>()
      while (asked.snapshot().version < version) {
        const { snapshotVersion, isAllowed } = ask(asked)
        expect(isAllowed).toBe(snapshotVersion === version)
        seen.add(snapshotVersion)
        void asked.refresh()
        await new Promise(setImmediate)
      }
      expect(ask(asked)).toMatchObject({ isAllowed: true, snapshotVersion: version })
      return [...seen]
    })
    expect(await Promise.all(loads)).toEqual([[version - 1], [version - 1]])
    expect(heldMs()).toBeLessThan(mostHeldMs)
  }, 60_000)
})
