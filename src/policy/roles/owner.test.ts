import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { openPolicy } from '../../../test/world/policy.ts'
import { createPolicy } from '../policy.ts'
import { readFolder } from '../folder/read-folder.ts'
import { plainContents, readContentsText, readDocument, writeDocument } from '../snapshot/document.ts'

const grants = [{ permissions: ['tools:call'], resources: ['notes/tools/*'] }]
const plain = { name: 'reader', description: '', grants, isShipped: false }

eachDatabase('the owner of a role', (open, openAgain) => {
  test('is kept with the role, by hand and by folder, on every node, and goes when it is left out', async () => {
    const world = await openPolicy(await open())
    const { policy, database, root, clock, ledger } = world
    const put = async (owner?: string) => {
      const made = await policy.roles.put({
        name: 'reader',
        description: '',
        grants,
        ...(owner !== undefined && { owner }),
        by: root,
      })
      return isRefusal(made) ? made.code : made.owner
    }
    expect(await put('lea')).toBe('lea')
    expect(await policy.roles.find('reader')).toMatchObject({ owner: 'lea' })
    const [published] = (await ledger.read({ event: 'policy.published' })).slice(-1)
    expect(published?.details).toMatchObject({ role: 'reader', owner: 'lea' })
    const second = await createPolicy({ database: await openAgain(database), ledger, clock })
    expect(await second.roles.find('reader')).toMatchObject({ owner: 'lea' })
    expect(await put()).toBeUndefined()
    expect('owner' in ((await policy.roles.find('reader')) ?? {})).toBe(false)
    for (const bad of ['', ' ', 'a\nb', 'x'.repeat(201)]) expect(await put(bad)).toBe('policy.owner-invalid')
    expect(await put('x'.repeat(200))).toBe('x'.repeat(200))
    const text = 'owner: bea\ngrants:\n  - permissions: [tools:call]\n    resources: [notes/tools/*]\n'
    const asked = { files: [{ path: 'roles/reader.yaml', text }], isPruning: false, note: '', by: root }
    const draft = await policy.changes.drafts.make(asked)
    if (isRefusal(draft)) throw new Error(draft.says)
    const shown = await policy.changes.drafts.find(draft.id)
    expect(shown?.items).toMatchObject([{ kind: 'role', name: 'reader', change: 'changed' }])
    expect(shown?.items[0]?.after).toContain('"owner": "bea"')
    await policy.changes.publish({ id: draft.id, hash: draft.hash, mayWarn: true, note: '', by: root })
    expect(await policy.roles.find('reader')).toMatchObject({ owner: 'bea' })
    await createPolicy({ database: await openAgain(database), ledger, clock })
    await database.query.updateTable('roles').set({ owner: 'mallory' }).where('name', '=', 'reader').execute()
    await expect(createPolicy({ database: await openAgain(database), ledger, clock })).rejects.toMatchObject({
      code: 'policy.unavailable',
    })
  })
})

test('a role without an owner is written as it was before there were owners', () => {
  const contents = { roles: [plain], files: [], tests: [] }
  expect(JSON.stringify(plainContents(contents).roles)).toBe(JSON.stringify([plain]))
  const document = {
    form: 1,
    ...contents,
    author: null,
    publisher: null,
    note: '',
    cameFrom: { kind: 'seeded' },
  } as const
  expect(readDocument(writeDocument(document)).roles).toEqual([plain])
  const owned = { ...document, roles: [{ ...plain, owner: 'lea' }] }
  expect(readDocument(writeDocument(owned)).roles).toEqual([{ ...plain, owner: 'lea' }])
  const text = (owner: unknown) => JSON.stringify({ ...contents, roles: [{ ...plain, owner }] })
  expect(readContentsText(text('lea')).roles).toEqual([{ ...plain, owner: 'lea' }])
  expect(() => readContentsText(text(7))).toThrow()
})

test('a folder is told which owner cannot be one', () => {
  const read = (owner: string) => readFolder([{ path: 'roles/reader.yaml', text: `owner: ${owner}\ngrants: []\n` }])
  expect(read('lea')).toMatchObject({ contents: { roles: [{ ...plain, grants: [], owner: 'lea' }] } })
  expect(read('""').problems?.[0]?.says).toContain('the owner of a role is a name of one line')
  expect(read('7').problems).toHaveLength(1)
})
