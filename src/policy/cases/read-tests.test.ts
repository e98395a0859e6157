import { expect, test } from 'vitest'
import { readCases, type PolicyCase } from './read-tests.ts'

const plain: Readonly<Record<string, string>> = {
  name: 'one',
  principal: '{ roles: [a] }',
  permission: 'tools:call',
  target: 'bank/tools/pay',
  expect: 'allow',
}

function read(changes: Readonly<Record<string, string>> = {}) {
  const written = Object.entries({ ...plain, ...changes }).map(([key, value]) => `${key}: ${value}`)
  return readCases({ name: 'a.yaml', text: `cases:\n  - ${written.join('\n    ')}\n` })
}

function only(changes: Readonly<Record<string, string>> = {}): PolicyCase {
  const { cases, problems } = read(changes)
  if (cases?.[0] === undefined) throw new Error(JSON.stringify(problems))
  return cases[0]
}

test('what a case does not tell is a person with a second factor, of whom and of whose call nothing else is known', () => {
  expect(only({ principal: '{}' })).toEqual({
    name: 'one',
    file: 'tests/a.yaml',
    line: 2,
    column: 5,
    principal: {
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'somebody',
      roles: [],
      factors: ['password', 'totp'],
      credential: { kind: 'access-token', id: 'test', expiresAt: 0 },
    },
    permission: 'tools:call',
    target: { upstream: 'bank', kind: 'tool', name: 'pay' },
    circumstances: { callArguments: {} },
    expect: 'allow',
    remedies: [],
    rule: undefined,
  })
})

test('roles and groups of a principal are a set, and two names are two persons', () => {
  const { principal } = only({ principal: '{ name: x, roles: [b, a, b], groups: [d, c, d], claims: { dept: [y] } }' })
  expect(principal).toMatchObject({ roles: ['a', 'b'], groups: ['c', 'd'], claims: { dept: ['y'] } })
  expect(principal).not.toHaveProperty('isService')
  expect(principal).not.toHaveProperty('client')
  expect(only({ principal: '{ name: y }' }).principal.id).not.toBe(principal.id)
  expect(only({ principal: '{ name: x }' }).principal.id).toBe(principal.id)
})

test('a client brings a token of its own', () => {
  const { principal } = only({ principal: '{ client: { id: c, name: Desk } }' })
  expect(principal.client).toEqual({ id: 'c', name: 'Desk', scopes: [] })
  expect(principal.credential.kind).toBe('oauth-token')
  expect(only({ principal: '{ client: { id: c } }' }).principal.client?.name).toBe('')
})

test('a classification that is told in part is the worst in the rest, with its data classes in order', () => {
  expect(only({ classification: '{}' }).circumstances.classification).toEqual({
    effect: 'execute',
    sensitivity: 'restricted',
    dataClasses: [],
    owner: '',
    bringsUntrusted: true,
    isOutlet: true,
  })
  const told =
    '{ effect: read, sensitivity: public, dataClasses: [b, a], owner: it, bringsUntrusted: false, isOutlet: false }'
  expect(only({ classification: told }).circumstances.classification).toEqual({
    effect: 'read',
    sensitivity: 'public',
    dataClasses: ['a', 'b'],
    owner: 'it',
    bringsUntrusted: false,
    isOutlet: false,
  })
})

test.each([
  ['servers:use', 'bank', { upstream: 'bank', kind: 'server' }],
  ['tools:call', 'bank/tools/pay', { upstream: 'bank', kind: 'tool', name: 'pay' }],
  ['roles:write', 'castellan', 'castellan'],
])('`%s` is asked about `%s`', (permission, target, asked) => {
  expect(only({ permission, target }).target).toEqual(asked)
})

test.each([
  ['servers:use', 'bank/tools/pay'],
  ['servers:use', 'castellan'],
  ['servers:use', '*'],
  ['tools:call', 'bank'],
  ['tools:call', 'bank/tools/*'],
  ['tools:call', 'bank/prompts/pay'],
  ['roles:write', 'bank'],
  ['roles:write', '*'],
])('`%s` is not asked about `%s`, which is told where it stands', (permission, target) => {
  const { problems } = read({ permission, target: `'${target}'` })
  const says = `\`${target}\` is no single thing that \`${permission}\` is asked about`
  expect(problems).toEqual([{ says, file: 'tests/a.yaml', line: 5, column: 13 }])
})

test('a case has a name of one to 200 characters', () => {
  expect(read({ name: "''" }).problems).toHaveLength(1)
  expect(only({ name: 'x'.repeat(200) }).name).toHaveLength(200)
  expect(read({ name: 'x'.repeat(201) }).problems).toHaveLength(1)
})

test('one remedy is a list of one', () => {
  expect(only({ expect: '{ remedy: approval }' })).toMatchObject({ expect: 'remedy', remedies: ['approval'] })
  expect(only({ expect: '{ remedy: [consent, redact] }' }).remedies).toEqual(['consent', 'redact'])
  expect(only({ expect: 'deny' })).toMatchObject({ expect: 'deny', remedies: [] })
})

test.each([
  ['principal', '{ kind: robot }'],
  ['principal', '{ factors: [fax] }'],
  ['principal', '{ roles: a }'],
  ['permission', 'tools:drop'],
  ['target', "''"],
  ['classification', '{ effect: harmless }'],
  ['circumstances', '{ at: yesterday }'],
  ['circumstances', '{ at: "2026-11-02T08:00:00" }'],
  ['circumstances', '{ address: office }'],
  ['expect', 'maybe'],
  ['expect', '{ remedy: prayer }'],
])('%s cannot be %s', (key, value) => {
  expect(read({ [key]: value }).problems).not.toBeUndefined()
})

test('one case that cannot be read keeps all of its file from counting', () => {
  const text = `cases:
  - { name: one, principal: {}, permission: tools:call, target: bank/tools/pay, expect: allow }
  - { name: two, principal: {}, permission: tools:call, target: bank, expect: allow }
`
  expect(readCases({ name: 'a.yaml', text })).toEqual({ problems: [expect.objectContaining({ line: 3 })] })
})
