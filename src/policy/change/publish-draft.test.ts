import { isRefusal, type Principal, type Refusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy, type PolicyWorld } from '../../../test/world/policy.ts'
import type { FolderFile } from '../folder/read-folder.ts'

const payer: FolderFile = {
  path: 'roles/payer.yaml',
  text: 'description: pays\ngrants:\n  - permissions: [tools:call]\n    resources: [bank/tools/pay]\n',
}
const saver: FolderFile = {
  path: 'roles/saver.yaml',
  text: 'description: saves\ngrants:\n  - permissions: [tools:call]\n    resources: [bank/tools/save]\n',
}
/** Lint warns of it: it allows everybody everything there is of a server. */
const wide: FolderFile = { path: 'roles/wide.yaml', text: 'grants: [{ permissions: ["*"], resources: ["*"] }]\n' }

function done<Value>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Error(`${value.code}: ${value.says}`)
  return value
}

async function draftOf({ policy }: PolicyWorld, files: readonly FolderFile[], by: Principal, note = '') {
  return done(await policy.changes.drafts.make({ files, isPruning: false, note, by }))
}

async function detailsOf({ ledger }: PolicyWorld, event: string) {
  return (await ledger.read({ event })).filter(({ principal }) => principal !== undefined).map(({ details }) => details)
}

eachDatabase('the publication of a draft', (open) => {
  test('is on record with all that it was, and kept with the draft', async () => {
    const world = await openPolicy(await open())
    const { policy, root, clock } = world
    const draft = await draftOf(world, [payer], root, 'why')
    clock.advance(7)
    const asked = { id: draft.id, hash: draft.hash, mayWarn: true, note: 'go', by: root }
    const { snapshot } = done(await policy.changes.publish(asked))
    const [entry] = await detailsOf(world, 'policy.published')
    expect(entry).toEqual({
      change: 'draft',
      draft: draft.id,
      draftHash: draft.hash,
      author: root.id,
      editors: [root.id],
      base: 1,
      changes: ['added role payer'],
      note: 'why',
      decision: 'go',
      ...(draft.checks.findings.length > 0 && {
        acceptedWarnings: [...new Set(draft.checks.findings.map(({ code }) => code))].toSorted(),
      }),
      tests: 0,
      takenFrom: [],
      version: 2,
      hash: snapshot.hash,
    })
    const kept = await policy.changes.drafts.find(draft.id)
    const decision = { by: root.id, at: clock.now(), decision: 'published', hash: draft.hash, note: 'go' }
    expect(kept?.draft).toMatchObject({ state: 'published', decisions: [decision], updatedAt: clock.now() })
    const found = done(await policy.changes.find(2))
    expect(found.document).toMatchObject({ author: root.id, publisher: root.id, note: 'why' })
    expect(found.document?.cameFrom).toEqual({ kind: 'folder', draft: draft.id })
  })

  test('without a word about it says none, and one of what nobody warned of accepts nothing', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    const text =
      '@id("none") forbid (principal, action, resource is Castellan::Tool) when { resource.name == "burn" };\n'
    const draft = await draftOf(world, [{ path: 'policies/a.cedar', text }], root)
    const warned = [...new Set(draft.checks.findings.map(({ code }) => code))]
    const { accepted } = done(
      await policy.changes.publish({ id: draft.id, hash: draft.hash, mayWarn: true, note: '', by: root }),
    )
    expect(accepted).toEqual(warned.toSorted())
    const [entry] = await detailsOf(world, 'policy.published')
    expect(Object.keys(entry ?? {})).not.toContain('decision')
    expect(Object.hasOwn(entry ?? {}, 'acceptedWarnings')).toBe(warned.length > 0)
  })

  test('with warnings is refused until somebody accepts them, with the first of them', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    const draft = await draftOf(world, [wide], root)
    const [warning] = draft.checks.findings
    expect(warning?.severity).toBe('warning')
    const publish = (mayWarn: boolean) =>
      policy.changes.publish({ id: draft.id, hash: draft.hash, mayWarn, note: '', by: root })
    const refused = await publish(false)
    expect(refused).toMatchObject({ code: 'policy.warnings-unaccepted' })
    expect(isRefusal(refused) && refused.says).toContain(warning?.says)
    const { accepted } = done(await publish(true))
    expect(accepted).toEqual([...new Set(draft.checks.findings.map(({ code }) => code))].toSorted())
  })

  test('on top of a change of the same says what that is, be it the same change, and on top of others joins them', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    const one = await draftOf(world, [payer], root)
    const same = await draftOf(world, [payer], root)
    const other = await draftOf(world, [saver], root)
    const changed = await draftOf(
      world,
      [{ ...payer, text: payer.text.replace('bank/tools/pay', 'bank/tools/*') }],
      root,
    )
    const publish = ({ id, hash }: typeof one) =>
      policy.changes.publish({ id, hash, mayWarn: true, note: '', by: root })
    expect(done(await publish(one)).snapshot.version).toBe(2)
    const stale = await publish(changed)
    expect(stale).toMatchObject({ code: 'policy.draft-stale' })
    expect(isRefusal(stale) && stale.says).toMatch(/snapshot `2` .*payer/)
    expect(await publish(same)).toMatchObject({ code: 'policy.draft-stale' })
    expect(done(await publish(other)).snapshot.version).toBe(3)
    const names = (await policy.roles.list()).map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['payer', 'saver']))
  })

  test('of a draft whose base is not on record any more is refused', async () => {
    const world = await openPolicy(await open())
    const { policy, root, database } = world
    const draft = await draftOf(world, [payer], root)
    done(await policy.roles.put({ name: 'other', description: '', grants: [], by: root }))
    await database.query.deleteFrom('policy_snapshots').where('version', '=', 1).execute()
    const asked = { id: draft.id, hash: draft.hash, mayWarn: true, note: '', by: root }
    const refused = await policy.changes.publish(asked)
    expect(refused).toMatchObject({ code: 'policy.draft-stale' })
    expect(isRefusal(refused) && refused.says).toContain('what it was made on is not on record')
  })
})

eachDatabase('a draft on its way', (open) => {
  test('is edited into what can be read and changes something, and then is another one, by both', async () => {
    const world = await openPolicy(await open())
    const { policy, root, database, clock } = world
    const { drafts } = policy.changes
    const ann = await addPerson(database, clock, 'ann', 'admin')
    const made = await draftOf(world, [payer], root)
    const edit = (files: readonly FolderFile[], by = ann, id = made.id) =>
      drafts.edit({ id, files, isPruning: false, by })
    expect(await edit([{ path: 'roles/payer.yaml', text: 'grants: 7' }])).toMatchObject({
      code: 'policy.folder-invalid',
    })
    expect(await edit([])).toMatchObject({ code: 'policy.draft-empty' })
    expect(await edit([saver], ann, 'none')).toMatchObject({ code: 'policy.draft-unknown' })
    clock.advance(3)
    const edited = done(await edit([saver]))
    expect(edited).toMatchObject({ state: 'draft', editors: [root.id, ann.id], updatedAt: clock.now() })
    expect(edited.createdAt).toBe(clock.now() - 3)
    expect(edited.hash).not.toBe(made.hash)
    expect(done(await edit([payer])).editors).toEqual([root.id, ann.id])
    expect((await drafts.list()).map(({ id }) => id)).toEqual([made.id])
  })

  test('is proposed as it was looked at, when lint and tests let it, and worked on again is no proposal', async () => {
    const world = await openPolicy(await open())
    const { policy, root, clock } = world
    const { drafts } = policy.changes
    const made = await draftOf(world, [wide], root)
    const propose = (hash: string, mayWarn: boolean) => drafts.propose({ id: made.id, hash, mayWarn, by: root })
    expect(await propose('other', true)).toMatchObject({ code: 'policy.draft-changed' })
    expect(await propose(made.hash, false)).toMatchObject({ code: 'policy.warnings-unaccepted' })
    clock.advance(2)
    expect(done(await propose(made.hash, true))).toMatchObject({ state: 'proposed', updatedAt: clock.now() })
    const edited = done(await drafts.edit({ id: made.id, files: [payer], isPruning: false, by: root }))
    expect(edited.state).toBe('draft')
    clock.advance(2)
    const given = done(await drafts.abandon({ id: made.id, note: 'no', by: root }))
    const decision = { by: root.id, at: clock.now(), decision: 'abandoned', hash: edited.hash, note: 'no' }
    expect(given).toMatchObject({ state: 'abandoned', decisions: [decision], updatedAt: clock.now() })
    for (const step of [propose(edited.hash, true), drafts.abandon({ id: made.id, note: '', by: root })])
      expect(await step).toMatchObject({ code: 'policy.draft-ended' })
    const told = await detailsOf(world, 'policy.draft-proposed')
    expect(told.map((details) => details?.['hash'])).toEqual([made.hash])
    expect(Object.keys(told[0] ?? {})).not.toContain('changes')
  })

  test('says from whom it takes what, also a role that nobody has, and nothing where it only gives', async () => {
    const world = await openPolicy(await open())
    const { policy, root, database, clock } = world
    for (const name of ['payer', 'saver', 'empty']) {
      const grants = [{ permissions: ['tools:call'], resources: [`bank/tools/${name}`] }]
      done(await policy.roles.put({ name, description: '', grants, by: root }))
    }
    await addPerson(database, clock, 'bob', 'payer')
    await addPerson(database, clock, 'ann', 'payer', 'saver')
    const checked = async (text: string) =>
      done(await policy.changes.drafts.check({ files: [{ path: 'roles/payer.yaml', text }], isPruning: false })).losses
    const grant = (...resources: string[]) =>
      `grants: [{ permissions: [tools:call], resources: [${resources.join()}] }]`
    expect(await checked(grant('bank/tools/payer', 'bank/tools/more'))).toEqual([])
    expect(await checked(grant('bank/tools/more'))).toEqual([
      { role: 'payer', isRemoved: false, people: ['ann', 'bob'] },
    ])
    const pruned = done(await policy.changes.drafts.check({ files: [payer], isPruning: true })).losses
    expect(pruned.toSorted((one, other) => (one.role < other.role ? -1 : 1))).toEqual([
      { role: 'empty', isRemoved: true, people: [] },
      { role: 'payer', isRemoved: false, people: ['ann', 'bob'] },
      { role: 'saver', isRemoved: true, people: ['ann'] },
    ])
  })
})
