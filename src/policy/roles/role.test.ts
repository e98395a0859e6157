import { expect, test } from 'vitest'
import { checkRole, roleLimits, type Grant } from './role.ts'
import { demoRoles, shippedRoles } from './shipped.ts'

function check(grants: unknown, name = 'mine', description = '') {
  return checkRole({ name, description, grants: grants as Grant[] })?.code
}

function checkTools(...resources: string[]) {
  return check([{ permissions: ['tools:call'], resources }])
}

test('the shipped and demo roles are well formed', () => {
  expect([...shippedRoles, ...demoRoles].map(checkRole)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('a role name is 1 to 63 lower-case letters, digits and dashes', () => {
  expect(check([], 'a')).toBeUndefined()
  expect(check([], `a${'-9'.repeat(31)}`)).toBeUndefined()
  for (const name of [`a${'x'.repeat(63)}`, '', 'A', '9a', 'a b', 'a"', '__proto__', 'a\n', 'é']) {
    expect(check([], name), name).toBe('policy.role-name-invalid')
  }
  expect(check([], JSON.parse('7'))).toBe('policy.role-name-invalid')
})

test('a description is one line of at most 500 characters', () => {
  expect(check([], 'a', 'x'.repeat(500))).toBeUndefined()
  for (const text of ['x'.repeat(501), 'two\nlines', '\u0000', 'a\ud800']) {
    expect(check([], 'a', text)).toBe('policy.description-invalid')
  }
})

test('an unknown permission is refused by name', () => {
  const refusal = checkRole({
    name: 'a',
    description: '',
    grants: [{ permissions: ['tools:eat'], resources: ['*'] }],
  })
  expect(refusal).toMatchObject({ code: 'policy.permission-unknown', says: 'there is no permission `tools:eat`' })
  expect(check([{ permissions: ['constructor'], resources: ['*'] }])).toBe('policy.permission-unknown')
})

test('every form of pattern is understood, with any name after the last prefix', () => {
  for (const pattern of ['*', 'notes/*', 'notes/tools/*', 'notes/tools/a', 'notes/tools/a/b', 'notes/tools/"\\\n']) {
    expect(checkTools(pattern), pattern).toBeUndefined()
  }
  expect(check([{ permissions: ['resources:read'], resources: ['files/resources/file:///a b/c'] }])).toBeUndefined()
})

test('a pattern of no known form is refused', () => {
  for (const pattern of [
    '',
    '/',
    'a/',
    '/tools/a',
    'a/b',
    'a/tools',
    'a/tools/',
    'a b',
    'castellan/*',
    'a/tools/\ud800',
  ]) {
    expect(checkTools(pattern), pattern).toBe('policy.pattern-invalid')
  }
})

test('a star that is no wildcard is refused', () => {
  for (const pattern of ['notes/tools/read_*', 'notes/tools/**', 'no*/tools/a', 'notes*']) {
    expect(checkTools(pattern), pattern).toBe('policy.pattern-wildcard')
  }
})

test('a grant whose parts do not fit each other is refused', () => {
  expect(checkTools('notes')).toBe('policy.permission-idle')
  expect(checkTools('notes/tools/a', 'castellan')).toBe('policy.resource-idle')
  expect(check([{ permissions: ['people:read'], resources: ['notes/*'] }])).toBe('policy.permission-idle')
  expect(check([{ permissions: ['servers:use'], resources: ['notes/*'] }])).toBe('policy.permission-idle')
  expect(check([{ permissions: ['*'], resources: ['castellan'] }])).toBeUndefined()
})

test('a grant without permissions or resources is refused', () => {
  const shapes = [{ permissions: [], resources: ['*'] }, { permissions: ['*'], resources: [] }, {}, null, 'admin']
  for (const grant of shapes) expect(check([grant])).toBe('policy.grant-empty')
  expect(check({})).toBe('policy.grant-empty')
})

test('each limit holds at the limit and is refused one past it', () => {
  const grants = (count: number) => Array.from({ length: count }, () => ({ permissions: ['*'], resources: ['*'] }))
  expect(check(grants(roleLimits.maxGrants))).toBeUndefined()
  expect(check(grants(roleLimits.maxGrants + 1))).toBe('policy.role-too-large')
  const names = (count: number) => Array.from({ length: count }, (_, index) => `notes/tools/t${index}`)
  expect(checkTools(...names(roleLimits.maxResources))).toBeUndefined()
  expect(checkTools(...names(roleLimits.maxResources + 1))).toBe('policy.role-too-large')
  const allowed = (count: number) => [{ permissions: Array.from({ length: count }, () => '*'), resources: ['*'] }]
  expect(check(allowed(roleLimits.maxPermissions))).toBeUndefined()
  expect(check(allowed(roleLimits.maxPermissions + 1))).toBe('policy.role-too-large')
  const name = (length: number) => `notes/tools/${'x'.repeat(length)}`
  expect(checkTools(name(roleLimits.maxNameLength))).toBeUndefined()
  expect(checkTools(name(roleLimits.maxNameLength + 1))).toBe('policy.role-too-large')
  const frame = Buffer.byteLength(
    JSON.stringify([{ permissions: ['tools:call'], resources: Array(8).fill('u/tools/') }]),
  )
  const filler = (total: number) => {
    const each = Math.floor((total - frame) / 8)
    return Array.from(
      { length: 8 },
      (_, index) => `u/tools/${'x'.repeat(each + (index === 0 ? (total - frame) % 8 : 0))}`,
    )
  }
  expect(checkTools(...filler(roleLimits.maxRoleBytes))).toBeUndefined()
  expect(checkTools(...filler(roleLimits.maxRoleBytes + 1))).toBe('policy.role-too-large')
})

test('a condition is one Cedar expression of at most 4096 characters, and nothing around it', () => {
  const when = (text: unknown) => check([{ permissions: ['tools:call'], resources: ['a/*'], when: text }])
  for (const good of ['true', 'context.time.hour < 18', 'true // why', ' true\n', `true${' '.repeat(4_092)}`]) {
    expect(when(good), good).toBeUndefined()
  }
  expect(when(`true${' '.repeat(4_093)}`)).toBe('policy.role-too-large')
  for (const bad of [
    '',
    ' ',
    7,
    null,
    'true }; permit (principal, action, resource) when { true',
    'true } unless { false',
    '}',
    'true;',
    'context.met.contains("x")',
    'context.time.hour < 9007199254740993',
    'true \ud800',
    '// true',
  ]) {
    expect(when(bad), String(bad)).toBe('policy.condition-invalid')
  }
})

test('calls of one effect class are granted like calls, and only on tools', () => {
  const grant = (permission: string, ...resources: string[]) => check([{ permissions: [permission], resources }])
  for (const effect of ['discover', 'read', 'query', 'write', 'execute', 'administer']) {
    expect(grant(`tools:call/${effect}`, 'a/tools/b', 'a/*')).toBeUndefined()
    expect(grant(`tools:call/${effect}`, 'a/prompts/b')).toBe('policy.permission-idle')
    expect(check([{ permissions: [`tools:call/${effect}`], resources: ['a/*'], stepUp: true }])).toBeUndefined()
  }
  for (const none of ['tools:call/', 'tools:call/eat', 'tools:call/*', 'resources:read/read', 'read', 'write']) {
    expect(grant(none, '*'), none).toBe('policy.permission-unknown')
  }
})
