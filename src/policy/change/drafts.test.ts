import { isRefusal, type Refusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy } from '../../../test/world/policy.ts'

const tests = `cases:
  - name: payers pay
    principal: { roles: [payer] }
    permission: tools:call
    target: bank/tools/pay
    expect: allow
`
const roleFile = (tool: string) => ({
  path: 'roles/payer.yaml',
  text: `description: pays\ngrants:\n  - permissions: [tools:call]\n    resources: [bank/tools/${tool}]\n`,
})
const testFile = { path: 'tests/bank.yaml', text: tests }

function done<Value>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Error(`${value.code}: ${value.says}`)
  return value
}

const codeOf = (value: unknown) => (isRefusal(value) ? value.code : 'done')

eachDatabase('drafts', (open) => {
  test('each step of a draft is on record with what it changes', async () => {
    const { policy, root, ledger } = await openPolicy(await open())
    const { drafts } = policy.changes
    const made = done(await drafts.make({ files: [roleFile('pay')], isPruning: false, note: 'why', by: root }))
    expect(made.hash).toMatch(/^[0-9a-f]{64}$/)
    const entryOf = async (event: string) => (await ledger.read({ event })).map(({ details }) => details)
    const kept = { draft: made.id, base: 1, note: 'why', findings: made.checks.findings.length }
    expect(await entryOf('policy.drafted')).toEqual([
      { ...kept, hash: made.hash, changes: ['added role payer'], failedTests: 0 },
    ])
    const files = [roleFile('other'), testFile]
    const edited = done(await drafts.edit({ id: made.id, files, isPruning: false, by: root }))
    expect(await entryOf('policy.draft-edited')).toEqual([
      {
        ...kept,
        findings: edited.checks.findings.length,
        hash: edited.hash,
        changes: ['added role payer', 'added test bank.yaml'],
        failedTests: 1,
      },
    ])
    done(await drafts.abandon({ id: made.id, note: '', by: root }))
    expect((await drafts.find(made.id))?.draft).toMatchObject({ state: 'abandoned', hash: edited.hash })
  })

  test('a draft says which version it became, and says none before', async () => {
    const { policy, root } = await openPolicy(await open())
    const { drafts } = policy.changes
    const { id, hash } = done(await drafts.make({ files: [roleFile('pay')], isPruning: false, note: '', by: root }))
    const found = async () => (await drafts.find(id))?.draft
    expect(await found()).toMatchObject({ state: 'draft', publishedVersion: undefined })
    done(await policy.changes.publish({ id, hash, mayWarn: true, note: '', by: root }))
    expect(await found()).toMatchObject({ state: 'published', publishedVersion: 2 })
    expect(await drafts.find('none')).toBeUndefined()
  })

  test('a folder that cannot be read is refused with its first problem and place', async () => {
    const { policy, root } = await openPolicy(await open())
    const files = [{ path: 'roles/x.yaml', text: 'grants: 7' }]
    const refused = await policy.changes.drafts.make({ files, isPruning: false, note: '', by: root })
    expect(refused).toMatchObject({
      code: 'policy.folder-invalid',
      says: expect.stringMatching(/^the policy folder cannot be read: `roles\/x\.yaml:1:\d+: \S/) as unknown,
    })
    expect(await policy.changes.drafts.list()).toEqual([])
  })

  test('a test that fails is told with its file, its line and what came out', async () => {
    const { policy, root } = await openPolicy(await open())
    const files = [roleFile('other'), testFile]
    const draft = done(await policy.changes.drafts.make({ files, isPruning: false, note: '', by: root }))
    const [failed] = draft.checks.tests
    expect(failed).toMatchObject({ file: 'tests/bank.yaml', line: 2, name: 'payers pay', hasPassed: false })
    expect(failed?.says).not.toBe('')
    const asked = { id: draft.id, hash: draft.hash, mayWarn: true, note: '', by: root }
    const refused = await policy.changes.publish(asked)
    expect(refused).toMatchObject({
      code: 'policy.tests-failed',
      says: expect.stringContaining(`tests/bank.yaml:2 payers pay: ${failed?.says}`) as unknown,
      detail: { failed: [{ file: 'tests/bank.yaml', line: 2, name: 'payers pay', says: failed?.says }] },
    })
  })

  test('who is on hold publishes nothing until it is lifted; a hold on somebody else is none on them', async () => {
    const { policy, root, database, clock } = await openPolicy(await open())
    const ann = await addPerson(database, clock, 'ann', 'admin')
    const bea = await addPerson(database, clock, 'bea', 'admin')
    await policy.refresh()
    const files = [roleFile('pay')]
    const { id, hash } = done(await policy.changes.drafts.make({ files, isPruning: false, note: '', by: root }))
    const publish = async (by: typeof ann) =>
      codeOf(await policy.changes.publish({ id, hash, mayWarn: true, note: '', by }))
    const hold = done(await policy.holds.place({ kind: 'person', subject: ann.id, reason: 'look', by: root }))
    expect(await publish(ann)).toBe('policy.publisher-without-right')
    done(await policy.holds.lift(hold.id, root))
    done(await policy.holds.place({ kind: 'person', subject: bea.id, reason: 'look', by: root }))
    done(await policy.holds.place({ kind: 'client', subject: ann.id, reason: 'look', by: root }))
    expect(await publish(bea)).toBe('policy.publisher-without-right')
    expect(await publish(ann)).toBe('done')
  })
})
