import { expect, test } from 'vitest'
import * as z from 'zod'
import { readYaml } from './read-yaml.ts'

const schema = z.strictObject({ name: z.string(), list: z.array(z.strictObject({ key: z.string() })).default([]) })

/** Problems as `line:column what`. */
function problems(text: string): string[] {
  return (readYaml({ name: 'a.yaml', text }, schema).problems ?? []).map(
    ({ file, line, column, says }) => `${file}:${line}:${column} ${says}`,
  )
}

test('a file is read with its places, whatever ends its lines and with a mark of byte order', () => {
  for (const text of [
    'name: a\nlist:\n  - key: b\n',
    'name: a\r\nlist:\r\n  - key: b\r\n',
    '\uFEFFname: a\nlist:\n  - key: b\n',
  ]) {
    const read = readYaml({ name: 'a.yaml', text }, schema)
    if (read.problems !== undefined) throw new Error(JSON.stringify(read.problems))
    expect(read.value).toEqual({ name: 'a', list: [{ key: 'b' }] })
    expect(read.place(['list', 0])).toEqual({ line: 3, column: 5 })
    expect(read.place(['list', 0, 'nowhere'])).toEqual({ line: 3, column: 5 })
  }
})

test.each([
  ['a key that means nothing', 'name: a\nmore: 1\n', 'a.yaml:2:1 `more` is not a key here'],
  ['one in a list', 'name: a\nlist:\n  - key: b\n    more: 1\n', 'a.yaml:4:5 `more` is not a key here'],
  ['a key that is missing', 'list: []\n', 'a.yaml:1:1 `name`: Invalid input: expected string, received undefined'],
  ['no content at all', '', 'a.yaml:1:1 Invalid input: expected object, received null'],
  ['an alias', 'name: &a b\nlist: [{ key: *a }]\n', 'a.yaml:1:1 aliases are not used in policy folders'],
  ['a control character', 'name: a\u0000\n', 'a.yaml:1:8 there is a control character'],
  ['a deleting one', 'name: "\u007f"\n', 'a.yaml:1:8 there is a control character'],
  ['a merge key', 'name: a\n<<: { list: [] }\n', 'a.yaml:2:1 `<<` is not a key here'],
])('%s is told with its place', (_what, text, told) => {
  expect(problems(text)).toEqual([told])
})

test('a key written twice, and a second document, are problems', () => {
  expect(problems('name: a\nname: b\n')[0]).toMatch(/^a\.yaml:2:1 /)
  expect(problems('name: a\n---\nname: b\n')).toHaveLength(1)
})

test('keys written twice are told where they stand the second time, in whichever map, and no others', () => {
  const text = 'name: a\nlist:\n  - key: b\n    key: c\n  - key: d\n    "key": e\nname: f\n'
  expect(problems(text)).toEqual([
    'a.yaml:7:1 `name` is written twice',
    'a.yaml:4:5 `key` is written twice',
    'a.yaml:6:5 `key` is written twice',
  ])
  expect(problems(`name: a\n${'name: b\n'.repeat(30)}`)).toHaveLength(20)
})

test('a map of thousands of keys costs what its size is worth', () => {
  const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join('')
  const before = process.cpuUsage()
  expect(problems(keys)).toHaveLength(20)
  expect(problems(`${keys}k7: 1\n`)).toEqual(['a.yaml:20001:1 `k7` is written twice'])
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1e6).toBeLessThan(4)
})

test('twenty problems of a file are told, and no more', () => {
  const wrong = (count: number) => `name: a\nlist:\n${'  - key: 1\n'.repeat(count)}`
  expect(problems(wrong(20))).toHaveLength(20)
  expect(problems(wrong(21))).toHaveLength(20)
})

test('a tab, which YAML allows in texts, is no control character', () => {
  expect(problems('name: "a\tb"\n')).toEqual([])
})
