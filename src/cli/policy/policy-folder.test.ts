import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readPolicyFolder } from './policy-folder.ts'

const mebibyte = 1_048_576
let folder = ''
const at = (path: string): string => join(folder, path)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'castellan-policy-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function problem(): string {
  try {
    readPolicyFolder(folder)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

test('the parts of a policy are read, in order, and what lies beside them is not', () => {
  for (const path of ['roles', 'policies/inner', 'tests', 'docs']) mkdirSync(at(path), { recursive: true })
  for (const path of ['roles.yaml', 'policies/b.cedar', 'policies/inner/a.cedar', 'tests/t.yaml', 'docs/x.cedar']) {
    writeFileSync(at(path), path)
  }
  writeFileSync(at('policies/.hidden'), 'x')
  symlinkSync('/etc', at('docs/link'))
  const paths = ['roles.yaml', 'policies/b.cedar', 'policies/inner/a.cedar', 'tests/t.yaml']
  expect(readPolicyFolder(folder)).toEqual(paths.map((path) => ({ path, text: path })))
})

test('a link in the place of a file or of a part is an error, never a part that is missing', () => {
  mkdirSync(at('elsewhere'))
  writeFileSync(at('elsewhere/a.cedar'), 'a')
  symlinkSync(at('elsewhere'), at('policies'))
  expect(problem()).toContain('policies` is no folder, or a link to one')
  rmSync(at('policies'))
  mkdirSync(at('policies'))
  symlinkSync(at('elsewhere/a.cedar'), at('policies/a.cedar'))
  expect(problem()).toContain('policies/a.cedar` is no plain file')
  rmSync(at('policies/a.cedar'))
  symlinkSync('/etc/passwd', at('roles.yaml'))
  expect(problem()).toContain('roles.yaml` is no plain file')
  rmSync(at('roles.yaml'))
  writeFileSync(at('roles'), 'no folder')
  expect(problem()).toContain('roles` is no folder')
})

test('what is no folder, holds no policy or is no text is told', () => {
  expect(problem()).toContain('holds no policy')
  mkdirSync(at('policies'))
  expect(readPolicyFolder(folder)).toEqual([])
  writeFileSync(at('policies/a.cedar'), Buffer.from([0xc3, 0x28]))
  expect(problem()).toContain('policies/a.cedar` is not UTF-8 text')
  folder = at('policies/a.cedar')
  expect(problem()).toContain('is no folder')
  folder = join(folder, '..', '..')
})

test('a file and a folder at their limits are read, and one byte more is not', () => {
  mkdirSync(at('policies'))
  const most = 4 * mebibyte
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(at(`policies/${name}.cedar`), Buffer.alloc(most, 0x20))
  expect(readPolicyFolder(folder).map(({ text }) => text.length)).toEqual([most, most, most, most])
  writeFileSync(at('policies/e.cedar'), ' ')
  expect(problem()).toContain('holds more than 16777216 bytes of policy')
  rmSync(at('policies/d.cedar'))
  truncateSync(at('policies/e.cedar'), most + 1)
  expect(problem()).toContain('e.cedar` is larger than 4194304 bytes')
  // WHY: a hole of a terabyte, which nothing could hold in memory.
  truncateSync(at('policies/e.cedar'), 2 ** 40)
  expect(problem()).toContain('e.cedar` is larger than 4194304 bytes')
})
