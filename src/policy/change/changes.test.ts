import { isRefusal, type Principal, type Refusal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openLedger, openPolicy, type PolicyWorld } from '../../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { createPolicy } from '../policy.ts'
import type { FolderFile } from '../folder/read-folder.ts'

const role = `description: pays
grants:
  - permissions: [servers:use]
    resources: [bank]
  - permissions: [tools:call]
    resources: [bank/tools/pay]
`
const rule = `@id("not-at-all")
forbid (principal, action, resource is Castellan::Tool) when { resource.name == "burn" };
`
const tests = `cases:
  - name: payers pay
    principal: { roles: [payer] }
    permission: tools:call
    target: bank/tools/pay
    expect: allow
  - name: nobody burns
    principal: { roles: [admin] }
    permission: tools:call
    target: bank/tools/burn
    expect: deny
    rule: bank.cedar#not-at-all
`
const folder: FolderFile[] = [
  { path: 'roles/payer.yaml', text: role },
  { path: 'policies/bank.cedar', text: rule },
  { path: 'tests/bank.yaml', text: tests },
]
const burn = { upstream: 'bank', kind: 'tool', name: 'burn' } as const
const pay = { upstream: 'bank', kind: 'tool', name: 'pay' } as const

function done<Value>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Error(`${value.code}: ${value.says}`)
  return value
}

async function draftOf({ policy }: PolicyWorld, by: Principal, files = folder, isPruning = false) {
  return done(await policy.changes.drafts.make({ files, isPruning, note: 'why', by }))
}

async function publishOf(world: PolicyWorld, by: Principal, files = folder, isPruning = false) {
  const draft = await draftOf(world, by, files, isPruning)
  return world.policy.changes.publish({ id: draft.id, hash: draft.hash, mayWarn: true, note: '', by })
}

function withFile(path: string, text: string): FolderFile[] {
  return [...folder.filter((one) => one.path !== path), { path, text }]
}

eachDatabase('a change of the policy', (open, openAgain) => {
  test('a folder becomes a draft, and the draft what is in force, each step on record', async () => {
    const world = await openPolicy(await open())
    const { policy, root, ledger, database, clock } = world
    const draft = await draftOf(world, root)
    expect(draft).toMatchObject({ state: 'draft', baseVersion: 1, author: root.id })
    expect(draft.checks.tests.map(({ hasPassed, says }) => [hasPassed, says])).toEqual([
      [true, ''],
      [true, ''],
    ])
    expect(policy.snapshot().version).toBe(1)
    expect(policy.decide(root, 'tools:call', burn).isAllowed).toBe(true)
    const asked = { id: draft.id, hash: draft.hash, mayWarn: true, note: 'go', by: root }
    expect(done(await policy.changes.publish(asked)).snapshot.version).toBe(2)
    expect(policy.decide(root, 'tools:call', burn)).toMatchObject({
      isAllowed: false,
      reasons: [{ rule: 'bank.cedar#not-at-all' }],
    })
    expect(policy.decide(root, 'tools:call', pay).isAllowed).toBe(true)
    expect(await policy.changes.publish(asked)).toMatchObject({ code: 'policy.draft-ended' })
    const [drafted] = await ledger.read({ event: 'policy.drafted' })
    const changes = ['added role payer', 'added file bank.cedar', 'added test bank.yaml']
    expect(drafted?.details).toMatchObject({ draft: draft.id, changes, failedTests: 0 })
    const published = (await ledger.read({ event: 'policy.published' })).find((one) => one.principal?.id === root.id)
    expect(published?.details).toMatchObject({ change: 'draft', draft: draft.id, changes, version: 2, tests: 2 })
    const other = await createPolicy({ database: await openAgain(database), ledger: await openLedger(clock), clock })
    expect(other.decide(root, 'tools:call', burn).isAllowed).toBe(false)
  })

  test('what a folder does not say stays, and goes with pruning, from everybody who had it', async () => {
    const world = await openPolicy(await open())
    const { policy, root, database, clock } = world
    done(await publishOf(world, root))
    const ann = await addPerson(database, clock, 'ann', 'payer')
    const without = folder.filter(({ path }) => path === 'policies/bank.cedar')
    const checked = done(await policy.changes.drafts.check({ files: without, isPruning: true }))
    expect(checked.losses).toEqual([{ role: 'payer', isRemoved: true, people: ['ann'] }])
    expect(checked.items.map(({ change, name }) => `${change} ${name}`)).toEqual(['removed payer', 'removed bank.yaml'])
    done(await publishOf(world, root, without))
    expect((await policy.roles.list()).map(({ name }) => name)).toContain('payer')
    done(await publishOf(world, root, without, true))
    expect((await policy.roles.list()).map(({ name }) => name)).not.toContain('payer')
    expect(await policy.roles.of(ann.id)).toEqual([])
  })

  test('who only reads has small folders looked at, one every five seconds', async () => {
    const { policy, clock } = await openPolicy(await open())
    const check = async (bytes: number) => {
      const files = [{ path: 'policies/a.cedar', text: `//${' '.repeat(bytes - 2)}` }]
      const outcome = await policy.changes.drafts.check({ files, isPruning: false, isReader: true })
      return isRefusal(outcome) ? [outcome.code, outcome.retryAfterSeconds] : 'looked at'
    }
    expect(await check(262_145)).toEqual(['policy.check-too-large', undefined])
    expect(await check(262_144)).toBe('looked at')
    expect(await check(10)).toEqual(['policy.check-too-often', 5])
    clock.advance(4_999)
    expect(await check(10)).toEqual(['policy.check-too-often', 1])
    clock.advance(1)
    expect(await check(10)).toBe('looked at')
  })

  test('who only reads has one folder looked at after the other, and waits four times as long as it took', async () => {
    const { policy, clock } = await openPolicy(await open())
    const files = [{ path: 'policies/a.cedar', text: '' }]
    const check = async () => {
      const outcome = await policy.changes.drafts.check({ files, isPruning: false, isReader: true })
      return isRefusal(outcome) ? [outcome.code, outcome.retryAfterSeconds] : 'looked at'
    }
    const first = check()
    expect(await check()).toEqual(['policy.check-too-often', 5])
    clock.advance(2_000)
    expect(await first).toBe('looked at')
    clock.advance(7_999)
    expect(await check()).toEqual(['policy.check-too-often', 1])
    clock.advance(1)
    expect(await check()).toBe('looked at')
    clock.advance(-60_000)
    expect(await check()).toEqual(['policy.check-too-often', 5])
  })

  test('a draft whose test fails, or that does not compile, is kept and not published', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    const failing = withFile('tests/bank.yaml', tests.replace('expect: allow', 'expect: deny'))
    expect(await publishOf(world, root, failing)).toMatchObject({ code: 'policy.tests-failed' })
    const broken = withFile(
      'policies/bank.cedar',
      'permit (principal, action, resource) when { resource.colour == 1 };',
    )
    expect(await publishOf(world, root, broken)).toMatchObject({ code: 'policy.lint-failed' })
    expect(policy.snapshot().version).toBe(1)
    expect((await policy.changes.drafts.list()).map(({ state }) => state)).toEqual(['draft', 'draft'])
  })

  test('a role that is changed alone has to pass the tests that are kept', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    done(await publishOf(world, root))
    const grants = [{ permissions: ['servers:use'], resources: ['bank'] }]
    const put = await policy.roles.put({ name: 'payer', description: '', grants, by: root })
    expect(put).toMatchObject({ code: 'policy.tests-failed', says: expect.stringContaining('payers pay') })
    expect(await policy.roles.remove('payer', root)).toMatchObject({ code: 'policy.tests-failed' })
    expect(policy.snapshot().version).toBe(2)
    done(await policy.roles.put({ name: 'another', description: '', grants, by: root }))
    expect(policy.snapshot().version).toBe(3)
    expect(policy.decide(root, 'tools:call', burn).isAllowed).toBe(false)
  })

  test('a draft is joined with changes of other things, and stale when they are the same or both are rules', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    done(await publishOf(world, root))
    const roleDraft = await draftOf(world, root, withFile('roles/payer.yaml', role.replace('pays', 'pays bills')))
    const ruleDraft = await draftOf(world, root, withFile('policies/other.cedar', rule.replace('not-at-all', 'other')))
    const sameDraft = await draftOf(
      world,
      root,
      withFile('policies/bank.cedar', rule.replace('burn', 'shred').replace('not-at-all', 'no-shredding')).filter(
        ({ path }) => path !== 'tests/bank.yaml',
      ),
    )
    const publish = ({ id, hash }: typeof roleDraft) =>
      policy.changes.publish({ id, hash, mayWarn: true, note: '', by: root })
    const more = withFile('policies/bank.cedar', `${rule}\n// reviewed\n`)
    done(await publishOf(world, root, more))
    expect(done(await publish(roleDraft)).snapshot.version).toBe(4)
    const kept = done(await policy.changes.find(4)).document
    expect(kept?.files[0]?.text).toContain('reviewed')
    expect(kept?.roles.find(({ name }) => name === 'payer')?.description).toBe('pays bills')
    for (const draft of [ruleDraft, sameDraft]) {
      expect(await publish(draft)).toMatchObject({ code: 'policy.draft-stale' })
    }
    expect(policy.snapshot().version).toBe(4)
  })

  test('of two drafts of the same that are published at once on two nodes, one is in force and the other is told', async () => {
    const world = await openPolicy(await open())
    const { policy, root, database, clock } = world
    const other = await createPolicy({ database: await openAgain(database), ledger: await openLedger(clock), clock })
    const one = await draftOf(world, root)
    const two = await draftOf(world, root, withFile('roles/payer.yaml', role.replace('pays', 'pays late')))
    const outcomes = await Promise.all([
      policy.changes.publish({ id: one.id, hash: one.hash, mayWarn: true, note: '', by: root }),
      other.changes.publish({ id: two.id, hash: two.hash, mayWarn: true, note: '', by: root }),
    ])
    const codes = outcomes.map((outcome) => (isRefusal(outcome) ? outcome.code : 'published'))
    expect(codes.toSorted()).toEqual(['policy.draft-stale', 'published'])
    await policy.refresh()
    expect(policy.snapshot().version).toBe(2)
  })

  test('what a draft says is what was looked at: another hash is refused', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    const draft = await draftOf(world, root)
    const files = withFile('roles/payer.yaml', role.replace('bank/tools/pay', 'bank/tools/*'))
    done(await policy.changes.drafts.edit({ id: draft.id, files, isPruning: false, by: root }))
    const asked = { id: draft.id, hash: draft.hash, mayWarn: true, note: '', by: root }
    expect(await policy.changes.publish(asked)).toMatchObject({ code: 'policy.draft-changed' })
    done(await policy.changes.drafts.abandon({ id: draft.id, note: '', by: root }))
    expect(await policy.changes.publish(asked)).toMatchObject({ code: 'policy.draft-ended' })
    expect(await policy.changes.publish({ ...asked, id: 'none' })).toMatchObject({ code: 'policy.draft-unknown' })
  })

  test('a folder that says what is in force makes no draft', async () => {
    const world = await openPolicy(await open())
    done(await publishOf(world, world.root))
    const asked = { files: folder, isPruning: true, note: '', by: world.root }
    expect(await world.policy.changes.drafts.make(asked)).toMatchObject({ code: 'policy.draft-empty' })
  })

  test('rules in files are changed by who is granted everything, roles by who has what they grant', async () => {
    const world = await openPolicy(await open())
    const { policy, root, database, clock } = world
    const grants = [
      { permissions: ['roles:write'], resources: ['castellan'] },
      { permissions: ['servers:use', 'tools:call'], resources: ['bank', 'bank/*'] },
    ]
    done(await policy.roles.put({ name: 'bank-admin', description: '', grants, by: root }))
    const kim = await addPerson(database, clock, 'kim', 'bank-admin')
    await policy.refresh()
    expect(await publishOf(world, kim)).toMatchObject({ code: 'policy.files-beyond-own-grants' })
    const own = [{ path: 'roles/payer.yaml', text: role }]
    done(await publishOf(world, kim, own))
    const wide = [{ path: 'roles/payer.yaml', text: role.replace('bank/tools/pay', 'mail/tools/send') }]
    expect(await publishOf(world, kim, wide)).toMatchObject({ code: 'policy.beyond-own-grants' })
  })

  test('the policy goes back to an older snapshot as a new one, with its roles, rules and tests', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    done(await publishOf(world, root))
    done(await publishOf(world, root, [{ path: 'roles.yaml', text: 'roles: []' }], true))
    expect(policy.decide(root, 'tools:call', burn).isAllowed).toBe(true)
    const draft = done(await policy.changes.rollBack({ version: 2, note: 'back', by: root }))
    done(await policy.changes.publish({ id: draft.id, hash: draft.hash, mayWarn: true, note: '', by: root }))
    expect(policy.decide(root, 'tools:call', burn).isAllowed).toBe(false)
    expect(done(await policy.changes.diff(2, 4))).toEqual([])
    expect((await policy.changes.history()).map(({ version, document }) => [version, document?.cameFrom.kind])).toEqual(
      [
        [4, 'snapshot'],
        [3, 'folder'],
        [2, 'folder'],
        [1, 'seeded'],
      ],
    )
    for (const version of [0, 4, 9]) {
      const refused = await policy.changes.rollBack({ version, note: '', by: root })
      expect(refused).toMatchObject({ code: 'policy.snapshot-unknown' })
    }
  })

  test('going back at once takes one step, once, whatever the tests say, with an event of its own', async () => {
    const world = await openPolicy(await open())
    const { policy, root, ledger } = world
    done(await publishOf(world, root))
    done(await publishOf(world, root, withFile('roles/payer.yaml', role.replace('pays', 'pays bills'))))
    const back = (version: number) => policy.changes.rollBackNow({ version, note: 'incident', by: root })
    expect(await back(1)).toMatchObject({ code: 'policy.not-preceding' })
    expect(done(await back(2)).version).toBe(4)
    expect(done(await policy.changes.diff(2, 4))).toEqual([])
    expect(await back(3)).toMatchObject({ code: 'policy.rolled-back-already' })
    const [entry] = await ledger.read({ event: 'policy.rolled-back-at-once' })
    expect(entry).toMatchObject({ principal: { id: root.id }, details: { to: 2, version: 4, note: 'incident' } })
  })

  test('a kept snapshot that was changed in the database is not returned to', async () => {
    const world = await openPolicy(await open())
    const { policy, root, database } = world
    done(await publishOf(world, root))
    done(await publishOf(world, root, withFile('roles/payer.yaml', role.replace('pays', 'pays bills'))))
    const row = await database.query
      .selectFrom('policy_snapshots')
      .select('document')
      .where('version', '=', 2)
      .executeTakeFirstOrThrow()
    const document = (row.document ?? '').replace('bank/tools/pay', 'bank/tools/*')
    await database.query.updateTable('policy_snapshots').set({ document }).where('version', '=', 2).execute()
    const unavailable = expect.objectContaining({ name: 'Fault', code: 'policy.unavailable' })
    await expect(policy.changes.rollBack({ version: 2, note: '', by: root })).rejects.toEqual(unavailable)
    await expect(policy.changes.rollBackNow({ version: 2, note: '', by: root })).rejects.toEqual(unavailable)
    expect(policy.snapshot().version).toBe(3)
  })
})
