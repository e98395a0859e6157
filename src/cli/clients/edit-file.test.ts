import fc from 'fast-check'
import { stringify as stringifyToml } from 'smol-toml'
import { expect, test } from 'vitest'
import { stringify as stringifyYaml } from 'yaml'
import type { Format } from './client.ts'
import { editText, parseText, type Wish } from './edit-file.ts'
import { changeLines, masked, ownLines } from './show-change.ts'
import { SyntaxProblem } from './syntax-problem.ts'

const value = { url: 'https://gw.example/mcp', headers: { Authorization: 'Bearer x' } }
const wish: Wish = { path: ['servers'], name: 'castellan', value }
const edit = (text: string | undefined, format: Format, wishes: readonly Wish[] = [wish]) =>
  editText(text, { format, wishes })

const key = fc.string({ minLength: 1, maxLength: 12 }).filter((each) => each !== '__proto__')
const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean())
const { tree } = fc.letrec<{ tree: unknown; table: unknown }>((tie) => ({
  tree: fc.oneof({ maxDepth: 3 }, leaf, tie('table'), fc.array(leaf, { maxLength: 4 })),
  table: fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
}))
const settings = fc.dictionary(key, tree, { maxKeys: 6 })
const others = fc.dictionary(key, fc.dictionary(key, leaf, { maxKeys: 3 }), { maxKeys: 4 })
const written: Record<Exclude<Format, 'jsonc'>, (settings: object) => string> = {
  json: (each) => JSON.stringify(each, null, 2),
  yaml: (each) => stringifyYaml(each),
  toml: (each) => stringifyToml(each),
}

test.each(['json', 'yaml', 'toml'] as const)(
  'any %s gets the entry, keeps what it means, and is not changed twice',
  async (format) => {
    await fc.assert(
      fc.asyncProperty(settings, others, fc.boolean(), async (rest, servers, hasServers) => {
        const whole = { ...rest, ...(hasServers ? { servers } : {}) }
        fc.pre(hasServers || !('servers' in rest))
        const before = written[format](whole)
        const after = await edit(before, format)
        const expected = { ...whole, servers: { ...(hasServers ? servers : {}), castellan: value } }
        expect(JSON.parse(JSON.stringify(await parseText(after, format)))).toEqual(JSON.parse(JSON.stringify(expected)))
        expect(await edit(after, format)).toBe(after)
      }),
      { numRuns: 150 },
    )
  },
)

test.each([
  ['{"servers":{}}', '{"servers":{\n  "castellan": '],
  ['{"a":1}', '{"a":1, "servers": {"castellan":'],
  ['{ // one\n}', '{ // one\n  "servers": {'],
  [
    '\ufeff{\r\n\t"a": [\r\n\t\t1\r\n\t]\r\n}\r\n',
    '\ufeff{\r\n\t"a": [\r\n\t\t1\r\n\t],\r\n\t"servers": {\r\n\t\t"castellan"',
  ],
  ['{\n  "a": 1 /* x */ // y\n  // z\n}', '{\n  "a": 1, /* x */ // y\n  "servers": {'],
  ['{\n  "a": 1, // y\n}', '{\n  "a": 1, // y\n  "servers": {'],
])('%j is edited in its own style', async (before, start) => {
  expect(await edit(before, 'jsonc')).toMatch(new RegExp(`^${start.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}`))
})

test.each(['', '  \n', '\ufeff', undefined])('%j becomes a file with the entry alone', async (before) => {
  expect(await parseText(await edit(before, 'json'), 'json')).toEqual({ servers: { castellan: value } })
})

test('an entry that reaches its server in another way is replaced, and its own other members stay otherwise', async () => {
  const before = { servers: { castellan: { command: 'x', args: ['y'], note: 1 } } }
  expect(await parseText(await edit(JSON.stringify(before), 'json'), 'json')).toEqual({ servers: { castellan: value } })
  const kept = { servers: { castellan: { url: 'old', timeout: 5, disabled: true, headers: { other: 'z' } } } }
  const wishes = [{ ...wish, defaults: { disabled: false, fresh: 1 } }]
  expect(await parseText(await edit(JSON.stringify(kept), 'json', wishes), 'json')).toEqual({
    servers: {
      castellan: { url: value.url, timeout: 5, disabled: true, fresh: 1, headers: { other: 'z', ...value.headers } },
    },
  })
})

test.each([
  ['toml', 'servers = { other = { url = "x" } }', 'an inline table'],
  ['yaml', 'servers: [1, 2]', 'a mapping is needed'],
  ['yaml', '--- 1\n--- 2', 'documents'],
  ['yaml', 'a: *nowhere', 'alias'],
  ['json', '{"a": 01}', 'not a value'],
  ['json', '{"a": "\n"}', 'not closed'],
  ['json', '{} // x', 'comments'],
  ['json', '{"a": 1,}', 'a comma stands before nothing'],
  ['jsonc', '{ /* }', 'does not end'],
  ['jsonc', '{"servers": null}', 'an object is needed'],
] as const)('%s that cannot be edited well is refused: %j', async (format, before, says) => {
  const refused = await edit(before, format).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(SyntaxProblem)
  expect((refused as SyntaxProblem).message.toLowerCase()).toContain(says)
  expect((refused as SyntaxProblem).line).toBeGreaterThan(0)
})

test('TOML tables, tables below them, dotted keys and inline entries are each updated where they stand', async () => {
  for (const before of [
    '[servers.castellan]\nurl = "old" # mine\n\n[servers.castellan.headers]\nAuthorization = "old"\n\n[z]\na = 1\n',
    'servers.castellan.url = "old"\nservers.castellan.headers.Authorization = "old"\n[z]\na = 1\n',
    '[servers]\ncastellan = { url = "old", headers = { Authorization = "old" } } # mine\n[z]\na = 1\n',
    '["servers".\'castellan\']\nurl = """old"""\nheaders = { Authorization = \'old\' }\n[z]\na = 1\n',
  ]) {
    const after = await edit(before, 'toml')
    expect(await parseText(after, 'toml')).toEqual({ servers: { castellan: value }, z: { a: 1 } })
    if (before.includes('# mine')) expect(after).toContain('# mine')
    expect(after.endsWith('[z]\na = 1\n')).toBe(true)
  }
})

test('no value of a file is shown, whatever it is and however the file is laid out', async () => {
  const marked = fc.string({ minLength: 1, maxLength: 8 }).map((text) => `${text}§secret§`)
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), marked, { minKeys: 1, maxKeys: 5 }),
      fc.constantFrom(0, 2, 4),
      fc.constantFrom('json', 'yaml', 'toml' as const),
      async (others, indent, format) => {
        const whole = { a: others, servers: { other: others, castellan: { url: 'x', mine: others } }, z: others }
        const before = format === 'json' ? JSON.stringify(whole, null, indent) : written[format](whole)
        const after = await edit(before, format)
        const own = ownLines(await edit(undefined, format))
        const shown = changeLines({ before, after, own }).map(({ text }) => text)
        expect(shown.join('\n')).not.toContain('§')
      },
    ),
    { numRuns: 150 },
  )
})

test.each([
  ['  "key": "value",', '  "key": …'],
  ['  "key": { "a": 1 },', '  "key": …'],
  ['  "key": {', '  "key": {'],
  ['key = "value" # comment', 'key = …'],
  ['[mcp_servers.other] # comment', '[mcp_servers.other]'],
  ['  - name: value', '  - name: …'],
  ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASC', '…'],
  ['// a comment', '…'],
  ['  },', '  },'],
])('%j is shown as %j', (line, expected) => {
  expect(masked(line)).toBe(expected)
})
