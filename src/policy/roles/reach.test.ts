import type { Principal } from '#kernel'
import { expect, test } from 'vitest'
import { somebody } from '../../../test/world/policies/decisions.ts'
import { refuseBeyondReach } from './reach.ts'
import { contains, parsePattern } from './resource-pattern.ts'
import type { Grant } from './role.ts'

const grants: Record<string, Grant[]> = {
  admin: [{ permissions: ['*'], resources: ['*'] }],
  helpdesk: [{ permissions: ['people:write', 'roles:write'], resources: ['castellan'] }],
  notes: [{ permissions: ['servers:use', 'tools:call'], resources: ['notes', 'notes/tools/*'] }],
}
const roles = Object.entries(grants).map(([name, own]) => ({ name, grants: own }))

function give(by: string[], permissions: string[], resources: string[]) {
  const credential = { kind: 'session', id: 's', expiresAt: 1 } as const
  const principal: Principal = { id: 'p', name: 'ada', roles: by, factors: ['password', 'totp'], credential }
  return refuseBeyondReach(principal, roles, [{ permissions, resources }])?.code
}

test('an administrator gives anything', () => {
  expect(give(['admin'], ['*'], ['*'])).toBeUndefined()
  expect(give(['admin'], ['tools:call'], ['files/tools/x'])).toBeUndefined()
})

test('whoever may change roles cannot give more than they have', () => {
  expect(give(['helpdesk'], ['people:write'], ['castellan'])).toBeUndefined()
  expect(give(['helpdesk'], ['*'], ['*'])).toBe('policy.beyond-own-grants')
  expect(give(['helpdesk'], ['*'], ['castellan'])).toBe('policy.beyond-own-grants')
  expect(give(['helpdesk'], ['audit:read'], ['castellan'])).toBe('policy.beyond-own-grants')
  expect(give(['helpdesk'], ['people:write'], ['*'])).toBe('policy.beyond-own-grants')
  expect(give(['helpdesk'], ['tools:call'], ['notes/tools/a'])).toBe('policy.beyond-own-grants')
  expect(give([], ['tools:call'], ['notes/tools/a'])).toBe('policy.beyond-own-grants')
  expect(give(['ghost'], ['tools:call'], ['notes/tools/a'])).toBe('policy.beyond-own-grants')
})

test('a part of a wildcard is within reach, a wildcard of a part is not', () => {
  expect(give(['notes'], ['servers:use', 'tools:call'], ['notes', 'notes/tools/a'])).toBeUndefined()
  expect(give(['notes'], ['tools:call'], ['notes/*'])).toBe('policy.beyond-own-grants')
  expect(give(['notes'], ['tools:call'], ['notes/resources/a', 'notes/tools/a'])).toBeUndefined()
})

test('a pattern contains what is narrower and nothing else', () => {
  const patterns = [
    '*',
    'castellan',
    'a',
    'a/*',
    'a/tools/*',
    'a/tools/x',
    'a/tools/y',
    'a/prompts/*',
    'b/*',
    'b/tools/x',
  ]
  const wider: Record<string, string[]> = {
    castellan: ['*'],
    a: ['*'],
    'a/*': ['*'],
    'a/tools/*': ['*', 'a/*'],
    'a/tools/x': ['*', 'a/*', 'a/tools/*'],
    'a/tools/y': ['*', 'a/*', 'a/tools/*'],
    'a/prompts/*': ['*', 'a/*'],
    'b/*': ['*'],
    'b/tools/x': ['*', 'b/*'],
  }
  for (const narrow of patterns) {
    const found = patterns.filter((wide) => {
      const [one, other] = [parsePattern(wide), parsePattern(narrow)]
      return one !== undefined && other !== undefined && contains(one, other)
    })
    expect(found.toSorted()).toEqual([...(wider[narrow] ?? []), narrow].toSorted())
  }
})

test('who has a right under a condition, or for one effect class, gives no more of it', () => {
  const own = (grant: Partial<Grant>) => [
    { name: 'own', grants: [{ permissions: ['tools:call'], resources: ['bank/*'], ...grant }] },
  ]
  const given = (held: Partial<Grant>, asked: Partial<Grant>) =>
    refuseBeyondReach({ ...somebody('own') }, own(held), [
      { permissions: ['tools:call'], resources: ['bank/tools/pay'], ...asked },
    ])?.code
  const beyond = 'policy.beyond-own-grants'
  expect(given({}, { when: 'true' })).toBeUndefined()
  expect(given({ when: 'false' }, {})).toBe(beyond)
  expect(given({ when: 'false' }, { when: 'true' })).toBe(beyond)
  expect(given({ when: 'false' }, { when: 'false' })).toBeUndefined()
  expect(given({}, { permissions: ['tools:call/write'] })).toBeUndefined()
  expect(given({ permissions: ['*'] }, { permissions: ['tools:call/write'] })).toBeUndefined()
  expect(given({ permissions: ['tools:call/write'] }, {})).toBe(beyond)
  expect(given({ permissions: ['tools:call/write'] }, { permissions: ['tools:call/read'] })).toBe(beyond)
  expect(given({ permissions: ['tools:call/write'] }, { permissions: ['*'] })).toBe(beyond)
})
