import { expect, test } from 'vitest'
import { problemsIn } from '../../../test/world/policies/decisions.ts'
import { demoRoles, shippedRoles } from '../roles/shipped.ts'
import { compilePolicy } from './compile.ts'
import type { PolicyFile, PolicySource } from './source.ts'

function compiled(source: Partial<PolicySource>, version = 1) {
  const compilation = compilePolicy({ roles: [], files: [], ...source }, version)
  if (!compilation.isValid) throw new Error(JSON.stringify(compilation.problems))
  return compilation.policy
}

function file(text: string, name = 'house.cedar'): PolicyFile[] {
  return [{ name, text }]
}

test('a role compiles to one readable policy for each grant', () => {
  const { cedar } = compiled({ roles: demoRoles.slice(0, 1) }, 3)
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

test('the order in which roles and files are stored changes nothing', () => {
  const roles = [...shippedRoles, ...demoRoles]
  const files = [...file('forbid (principal, action, resource) when { false };'), ...file('// empty', 'a/b.cedar')]
  const one = compiled({ roles, files })
  expect(compiled({ roles: roles.toReversed(), files: files.toReversed() })).toEqual(one)
  expect(one.cedar.indexOf('// file a/b.cedar')).toBeLessThan(one.cedar.indexOf('// file house.cedar'))
})

test('the text of roles is printable ASCII whatever the names are', () => {
  const name = 'q"\\\n\u202E\u{1F600}é\u0000'
  const grants = [{ permissions: ['tools:call'], resources: [`u/tools/${name}`] }]
  expect(compiled({ roles: [{ name, grants }] }).cedar).toMatch(/^[\x20-\x7e\n]*$/)
})

test('every form of pattern is valid in strict mode, also at the limit of patterns', () => {
  const one = (index: number) => [`u${index}`, `u${index}/*`, `v${index}/prompts/*`, `w${index}/tools/t${index}`]
  const resources = [
    'castellan',
    ...Array.from({ length: 32 }, (_, index) => one(index))
      .flat()
      .slice(1),
  ]
  expect(resources).toHaveLength(128)
  expect(problemsIn({ roles: [{ name: 'wide', grants: [{ permissions: ['*'], resources }] }] })).toEqual([])
})

test('a grant that was never checked is a fault, never a wider policy', () => {
  const compile = (permissions: string[], resources: string[]) => () =>
    compiled({ roles: [{ name: 'r', grants: [{ permissions, resources }] }] })
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

test('rules of files have the name of their file, and their own or their number, with their line', () => {
  const text = `// permit (principal, action, resource);
@description("a ; in a string") // and a ; here
forbid (principal, action, resource) when { "; //" == "" };

@id("night") @shadow forbid (principal, action, resource)
  when { context.time.hour < 6 }; forbid (principal, action, resource) when { false };
`
  const { rules } = compiled({ files: file(text, 'team/night.cedar') })
  expect(rules.map(({ id, origin, isShadow }) => [id, origin, isShadow])).toEqual([
    ['team/night.cedar#1', { kind: 'file', file: 'team/night.cedar', line: 2 }, false],
    ['team/night.cedar#night', { kind: 'file', file: 'team/night.cedar', line: 5 }, true],
    ['team/night.cedar#3', { kind: 'file', file: 'team/night.cedar', line: 6 }, false],
  ])
})

test('what is wrong is told with file, line and column', () => {
  const at = (text: string) => problemsIn({ files: file(text) })[0]
  expect(at('permit (principal, action, resource);\n\nforbid (principal')).toMatchObject({
    file: 'house.cedar',
    line: 3,
  })
  expect(at('// é😀\nforbid (principal, action, resource)\nwhen { resource.colour == "red" };')).toMatchObject({
    file: 'house.cedar',
    rule: 'house.cedar#1',
    line: 3,
    column: 8,
  })
  expect(at('forbid (principal == ?principal, action, resource);')?.says).toContain('template')
  expect(at('forbid (principal, action in Castellan::Action::"wirte", resource);')?.says).toContain('wirte')
  expect(at('@id("a") permit (principal, action, resource); @id("a") permit (principal, action, resource);')).toEqual({
    says: 'another rule has this name',
    rule: 'house.cedar#a',
    file: 'house.cedar',
    line: 1,
  })
})

test('one mistake is told once, though it matters for every action', () => {
  expect(problemsIn({ files: file('forbid (principal, action, resource) when { context.nothing };') })).toHaveLength(1)
})

test('names of files and files beyond a limit are refused', () => {
  for (const name of [
    '',
    'a',
    '.cedar',
    'role:x.cedar',
    '../up.cedar',
    'a//b.cedar',
    'A.cedar',
    'a.cedar\n',
    'a.txt',
  ]) {
    expect(problemsIn({ files: file('', name) }), name).toHaveLength(1)
  }
  const many = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `f${index}.cedar`, text: '' }))
  expect(problemsIn({ files: many(64) })).toEqual([])
  expect(problemsIn({ files: many(65) })).toHaveLength(1)
  expect(problemsIn({ files: file(`//${'x'.repeat(1_048_574)}`) })).toEqual([])
  expect(problemsIn({ files: file(`//${'x'.repeat(1_048_575)}`) })).toHaveLength(1)
  expect(problemsIn({ files: [...file(''), ...file('')] })).toHaveLength(1)
})

test('a number that double precision does not hold, and a rule that reads what was met, are refused', () => {
  const when = (condition: string) =>
    problemsIn({ files: file(`forbid (principal, action, resource) when { ${condition} };`) })
  expect(when('context.time.hour < 9007199254740991')).toEqual([])
  for (const condition of [
    'context.time.hour < 9007199254740993',
    'context.time.hour < 9007199254740992',
    '[1, 9223372036854775807].contains(context.time.hour)',
    'context.met.contains("x")',
    'context["met"].isEmpty()',
    'context has met',
    'if true then context.met == [] else false',
  ]) {
    expect(when(condition), condition).toHaveLength(1)
  }
})

test('annotations that say nothing, or belong to nothing, are refused', () => {
  const annotated = (annotations: string, effect = 'forbid') =>
    problemsIn({ files: file(`${annotations} ${effect} (principal, action, resource);`) })
  for (const good of [
    '@id("a")',
    '@says("ask the house") @quiet @shadow @description("why")',
    '@id("a") @remedy("approval") @approvers("lead, cfo") @count("2") @within("15m")',
    '@id("a") @remedy("step-up")',
    '@id("a") @remedy("consent") @purpose("letters") @within("30d")',
    '@id("a") @remedy("justification") @question("what for?")',
    '@id("a") @remedy("redact") @fields("email,iban")',
  ]) {
    expect(annotated(good), good).toEqual([])
  }
  for (const bad of [
    '@remdy("approval")',
    '@shadow("yes")',
    '@id("1")',
    '@id("a b")',
    '@says("")',
    '@says("two\\nlines")',
    '@remedy("step-up")',
    '@id("a") @remedy("magic")',
    '@id("a") @remedy("approval")',
    '@id("a") @remedy("approval") @approvers("lead") @count("0")',
    '@id("a") @remedy("approval") @approvers("lead") @count("11")',
    '@id("a") @remedy("approval") @approvers("lead") @within("31d")',
    '@id("a") @remedy("approval") @approvers(",")',
    '@id("a") @remedy("step-up") @within("5m")',
    '@id("a") @approvers("lead")',
    '@id("a") @remedy("consent")',
    '@id("a") @remedy("redact")',
  ]) {
    expect(annotated(bad), bad).toHaveLength(1)
  }
  expect(annotated('@id("a") @remedy("step-up")', 'permit')).toHaveLength(1)
})

test('what is wrong with a grant is told with its number, and of two roles of one name the rule that is there twice', () => {
  const grant = { permissions: ['tools:call'], resources: ['bank/*'] }
  const [broken, ...others] = problemsIn({
    roles: [{ name: 'payer', grants: [grant, { ...grant, when: 'context.time.hour <' }, grant] }],
  })
  expect(broken).toMatchObject({ rule: 'role:payer#2' })
  expect(others).toEqual([])
  const twice = [
    { name: 'payer', grants: [grant] },
    { name: 'payer', grants: [grant] },
  ]
  expect(problemsIn({ roles: twice })).toEqual([{ says: 'another rule has this name', rule: 'role:payer#1' }])
  expect(problemsIn({ files: [...file(''), ...file('')] })).toEqual([
    { says: 'another file has this name', file: 'house.cedar' },
  ])
  const many = Array.from({ length: 65 }, (_, index) => ({ name: `f${index}.cedar`, text: '' }))
  expect(problemsIn({ files: many })).toEqual([{ says: 'there are more than 64 files' }])
})

test('what the validator found nothing in before is judged with what it has not seen yet', () => {
  const good = 'forbid (principal, action, resource) when { context.time.hour == 3 };'
  const bad = 'forbid (principal, action, resource) when { context.nothing == 3 };'
  expect(problemsIn({ files: file(good) })).toEqual([])
  const found = problemsIn({ files: file(`${good}\n${bad}`) })
  expect(found).toMatchObject([{ rule: 'house.cedar#2', line: 2 }])
  expect(problemsIn({ files: file(`${good}\n${bad}`) })).toEqual(found)
  expect(problemsIn({ files: file(`${bad}\n${good}`) })).toMatchObject([{ rule: 'house.cedar#1', line: 1 }])
})

test('several mistakes are told in the order of the text, each time in the same words', () => {
  const rule = (at: number, salt: number) =>
    `forbid (principal, action, resource)\nwhen { context.nothing${at} == ${salt} && context.none == ${salt} };`
  const told = (salt: number) => problemsIn({ files: file([1, 2, 3, 4, 5].map((at) => rule(at, salt)).join('\n')) })
  const first = told(0)
  expect(first.map(({ line, column }) => [line, column])).toEqual(
    [2, 4, 6, 8, 10].flatMap((line) => [
      [line, 8],
      [line, 33],
    ]),
  )
  for (let salt = 1; salt < 5; salt += 1) expect(told(salt)).toEqual(first)
})
