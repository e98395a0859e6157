import { expect, test } from 'vitest'
import { demoRoles, shippedRoles } from '../roles/shipped.ts'
import { compileRoles } from './compile.ts'
import { findProblems } from './judge.ts'

test('a role compiles to one readable policy for each grant', () => {
  const { cedar } = compileRoles(demoRoles.slice(0, 1), 3)
  expect(cedar).toBe(`// castellan roles, snapshot 3

@id("role:notes-reader#1")
permit (
  principal in Castellan::Role::"notes-reader",
  action in [Castellan::Action::"servers:use", Castellan::Action::"tools:call"],
  resource
) when {
  (resource is Castellan::Server && resource.upstream == "notes") ||
  (resource is Castellan::Tool && resource.upstream == "notes" && ["list_notes", "read_note"].contains(resource.name))
};
`)
})

test('the order in which roles are stored does not change the text', () => {
  const roles = [...shippedRoles, ...demoRoles]
  expect(compileRoles(roles.toReversed(), 1)).toEqual(compileRoles(roles, 1))
})

test('the text is printable ASCII whatever the names are', () => {
  const name = 'q"\\\n\u202E\u{1F600}é\u0000'
  const { cedar, policies } = compileRoles(
    [{ name, grants: [{ permissions: ['tools:call'], resources: [`u/tools/${name}`] }] }],
    1,
  )
  expect(cedar).toMatch(/^[\x20-\x7e\n]*$/)
  expect(findProblems(policies)).toEqual([])
})

test('every form of pattern is valid in strict mode, also at the limit of patterns', () => {
  const one = (index: number) => [`u${index}`, `u${index}/*`, `v${index}/prompts/*`, `w${index}/tools/t${index}`]
  const resources = [
    'castellan',
    ...Array.from({ length: 32 }, (_, index) => one(index))
      .flat()
      .slice(1),
  ]
  const { policies } = compileRoles([{ name: 'wide', grants: [{ permissions: ['*'], resources }] }], 1)
  expect(resources).toHaveLength(128)
  expect(findProblems(policies)).toEqual([])
})

test('policies that do not fit the schema are named', () => {
  const text = 'permit (principal, action, resource) when { resource.owner == principal };'
  const problems = findProblems([{ id: 'role:bad#1', role: 'bad', grantNumber: 1, text }])
  expect(problems[0]).toContain('role:bad#1')
  const second = findProblems([{ id: 'role:bad#1', role: 'bad', grantNumber: 1, text: `${text}\n${text}` }])
  expect(second).not.toEqual([])
})

test('a grant that was never checked is a fault, never a wider policy', () => {
  const compile = (permissions: string[], resources: string[]) => () =>
    compileRoles([{ name: 'r', grants: [{ permissions, resources }] }], 1)
  for (const broken of [
    compile([], ['*']),
    compile(['*'], []),
    compile(['tools:eat'], ['*']),
    compile(['tools:call'], ['a/b']),
    compile(['tools:call'], ['a/tools/\ud800']),
  ]) {
    expect(broken).toThrow(expect.objectContaining({ name: 'Fault' }))
  }
})
