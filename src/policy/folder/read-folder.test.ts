import { expect, test } from 'vitest'
import { sourceLimits } from '../cedar/source.ts'
import { folderLimits, readFolder, type FolderFile } from './read-folder.ts'

const role = 'grants:\n  - permissions: [servers:use]\n    resources: [bank]\n'

function problems(...files: FolderFile[]): string[] {
  const read = readFolder(files)
  return (read.problems ?? []).map(({ file, line, column, says }) =>
    file === undefined ? says : `${file}:${line ?? 0}:${column ?? 0} ${says}`,
  )
}

const file = (path: string, text = ''): FolderFile => ({ path, text })

test('roles in files of their own and in one file, policies and tests are read, in folders at will', () => {
  const read = readFolder([
    file('roles/teller.yaml', `description: pays\n${role}`),
    file(
      'roles.yaml',
      `roles:\n  - name: clerk\n    grants: [{ permissions: [tools:call], resources: [bank/tools/pay], stepUp: true }]\n`,
    ),
    file('policies/a.cedar', '// nothing'),
    file('policies/bank/b.cedar', '// nothing'),
    file('tests/a.yaml', 'cases: []'),
    file('tests/bank/b.yml', 'cases: []'),
  ])
  if (read.problems !== undefined) throw new Error(JSON.stringify(read.problems))
  const { roles, files, tests } = read.contents
  expect(roles.map(({ name, description, isShipped }) => [name, description, isShipped])).toEqual([
    ['teller', 'pays', false],
    ['clerk', '', false],
  ])
  expect(roles[1]?.grants).toEqual([{ permissions: ['tools:call'], resources: ['bank/tools/pay'], stepUp: true }])
  expect(files.map(({ name }) => name)).toEqual(['a.cedar', 'bank/b.cedar'])
  expect(tests.map(({ name }) => name)).toEqual(['a.yaml', 'bank/b.yml'])
})

test('keys that mean nothing are told with line and column', () => {
  expect(problems(file('roles/a.yaml', `descripton: x\n${role}`))).toEqual([
    'roles/a.yaml:1:1 `descripton` is not a key here',
  ])
  const inGrant = role.replace('    resources', '    stepup: true\n    resources')
  expect(problems(file('roles/a.yaml', inGrant))).toEqual(['roles/a.yaml:3:5 `stepup` is not a key here'])
  const inList = 'roles:\n  - name: a\n    grants: []\n    more: 1\n'
  expect(problems(file('roles.yaml', inList))).toEqual(['roles.yaml:4:5 `more` is not a key here'])
})

test('values of another kind, keys written twice, aliases and broken YAML are told where they stand', () => {
  expect(problems(file('roles/a.yaml', 'grants: all\n'))[0]).toMatch(/^roles\/a\.yaml:1:9 `grants`: /)
  expect(problems(file('roles/a.yaml', role + role))[0]).toMatch(/^roles\/a\.yaml:4:1 /)
  expect(problems(file('roles/a.yaml', 'grants: [\n'))[0]).toMatch(/^roles\/a\.yaml:2:1 /)
  expect(problems(file('roles/a.yaml', `description: &x y\ngrants: [*x]\n`))[0]).toContain('aliases are not used')
  expect(problems(file('roles/a.yaml', `description: "a\u0001"\n`))[0]).toContain('control character')
})

test('roles that are shipped, misnamed, there twice or not well formed are told', () => {
  expect(problems(file('roles/admin.yaml', role))[0]).toContain('is shipped with castellan')
  expect(problems(file('roles/a.yaml', `name: b\n${role}`))[0]).toContain(
    'the file is called `a`, and the role in it `b`',
  )
  const twice = `roles:\n  - name: a\n    grants: []\n`
  expect(problems(file('roles/a.yaml', 'grants: []'), file('roles.yaml', twice))[0]).toContain(
    'there are two roles `a`',
  )
  expect(problems(file('roles/a.yaml', role.replace('servers:use', 'servers:abuse')))[0]).toContain(
    'there is no permission',
  )
})

test('a file that nothing reads, or that is there twice, is told', () => {
  for (const path of [
    'roles/a.json',
    'policies/A.cedar',
    'policies/a.txt',
    'tests/a.json',
    'README.md',
    'policies/../a.cedar',
    'roles/a/b.yaml',
  ]) {
    expect(problems(file(path))[0], path).toContain('nothing reads this file')
  }
  expect(problems(file('policies/a.cedar'), file('policies/a.cedar'))).toEqual([
    'policies/a.cedar:0:0 the file is there twice',
  ])
})

test('so many policy files, files and bytes are read, and no more', () => {
  const many = (count: number, path: (at: number) => string) => Array.from({ length: count }, (_, at) => file(path(at)))
  const policies = (count: number) => many(count, (at) => `policies/p${at}.cedar`)
  expect(problems(...policies(sourceLimits.maxFiles))).toEqual([])
  expect(problems(...policies(sourceLimits.maxFiles + 1))[0]).toContain('more than 64 policy files')
  const tests = (count: number) => many(count, (at) => `tests/t${at}.yaml`)
  expect(problems(...tests(folderLimits.maxFiles))).toEqual([])
  expect(problems(...tests(folderLimits.maxFiles + 1))).toEqual(['there are more than 512 files'])
  const bytes = (count: number) => file('policies/a.cedar', 'x'.repeat(count))
  expect(problems(bytes(folderLimits.maxTotalBytes))).toEqual([])
  expect(problems(bytes(folderLimits.maxTotalBytes + 1))[0]).toContain('more than 8388608 bytes')
})
