import { expect, test } from 'vitest'
import type { PolicyContents } from '../snapshot/document.ts'
import { diffContents, rebase } from './contents-diff.ts'

function role(name: string, description = '', owner?: string) {
  return { name, description, grants: [], isShipped: false, ...(owner !== undefined && { owner }) }
}

function contents(told: Partial<PolicyContents>): PolicyContents {
  return { roles: [], files: [], tests: [], ...told }
}

const file = (name: string, text: string) => ({ name, text })

test('what differs is told as added, changed and removed, roles before files before tests, each by name', () => {
  const before = contents({
    roles: [role('b'), role('c'), role('same')],
    files: [file('z', '1')],
    tests: [file('a', '1')],
  })
  const after = contents({
    tests: [file('a', '2')],
    files: [file('a', '1')],
    roles: [role('same'), role('c', 'other'), role('a')],
  })
  expect(diffContents(before, after).map(({ kind, name, change }) => `${change} ${kind} ${name}`)).toEqual([
    'added role a',
    'removed role b',
    'changed role c',
    'added file a',
    'removed file z',
    'changed test a',
  ])
  const [added, removed, changed] = diffContents(before, after)
  expect([added?.before, removed?.after]).toEqual([undefined, undefined])
  expect(changed).toMatchObject({
    before: '{\n  "description": "",\n  "grants": []\n}\n',
    after: '{\n  "description": "other",\n  "grants": []\n}\n',
  })
  expect(diffContents(after, after)).toEqual([])
})

test('another owner is a change of the role; a file and a test of one name are two things', () => {
  expect(diffContents(contents({ roles: [role('a')] }), contents({ roles: [role('a', '', 'ann')] }))).toHaveLength(1)
  const moved = diffContents(contents({ files: [file('a', '1')] }), contents({ tests: [file('a', '1')] }))
  expect(moved.map(({ kind, change }) => `${change} ${kind}`)).toEqual(['removed file', 'added test'])
})

test('a change is made on top of one of other things: each keeps what it added, changed and removed', () => {
  const base = contents({
    roles: [role('mine'), role('gone'), role('theirs')],
    files: [file('f', '1')],
    tests: [file('t', '1')],
  })
  const wanted = contents({
    ...base,
    roles: [role('mine', 'new'), role('theirs'), role('own')],
    tests: [file('t', '2')],
  })
  const current = contents({
    ...base,
    roles: [role('mine'), role('gone'), role('theirs', 'new')],
    files: [file('f', '2')],
  })
  const joined = rebase({ base, wanted, current })
  if (!('contents' in joined)) throw new Error(joined.conflicts.join())
  expect(joined.contents.roles.map(({ name, description }) => `${name} ${description}`).toSorted()).toEqual([
    'mine new',
    'own ',
    'theirs new',
  ])
  expect(joined.contents.files).toEqual([file('f', '2')])
  expect(joined.contents.tests).toEqual([file('t', '2')])
})

test.each([
  ['the same role', { roles: [role('a', '1')] }, { roles: [role('a', '2')] }, ['role/a']],
  ['the same test', { tests: [file('a', '1')] }, { tests: [file('a', '2')] }, ['test/a']],
  ['the same file', { files: [file('a', '1')] }, { files: [file('a', '2')] }, ['file/a']],
  ['rules in two files', { files: [file('a', '1')] }, { files: [file('b', '2')], roles: [role('a')] }, ['file/b']],
] as const)('changes of %s are not joined', (_what, wanted, current, conflicts) => {
  const base = contents({})
  expect(rebase({ base, wanted: contents(wanted), current: contents(current) })).toEqual({ conflicts })
})
