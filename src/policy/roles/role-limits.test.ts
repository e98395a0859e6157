import { expect, test } from 'vitest'
import { isRefusal } from '#kernel'
import { checkRole, plainGrant, roleLimits } from './role.ts'

const grant = { permissions: ['tools:call'], resources: ['bank/*'] }
const many = (count: number, text: string) => Array.from({ length: count }, () => text)

function saysOf(grants: unknown, more: object = {}): string {
  const refusal = checkRole({ name: 'r', description: '', grants, ...more } as never)
  return isRefusal(refusal) ? refusal.says : 'it is one'
}

test('a role says which limit it is beyond, and is one at the limit', () => {
  const { maxGrants, maxPermissions, maxResources, maxConditionLength } = roleLimits
  const at = (limit: number, what: string) => `${limit} ${what}`
  expect(saysOf(Array.from({ length: maxGrants }, () => grant))).toBe('it is one')
  expect(saysOf(Array.from({ length: maxGrants + 1 }, () => grant))).toContain(at(maxGrants, 'grants'))
  const permissions = (count: number) => [{ ...grant, permissions: many(count, 'tools:call') }]
  expect(saysOf(permissions(maxPermissions))).toBe('it is one')
  expect(saysOf(permissions(maxPermissions + 1))).toContain(at(maxPermissions, 'permissions in a grant'))
  const resources = (count: number) => [{ ...grant, resources: many(count, 'bank/*') }]
  expect(saysOf(resources(maxResources))).toBe('it is one')
  expect(saysOf(resources(maxResources + 1))).toContain(at(maxResources, 'resources in a grant'))
  const when = (length: number) => [{ ...grant, when: 'true'.padEnd(length) }]
  expect(saysOf(when(maxConditionLength))).toBe('it is one')
  expect(saysOf(when(maxConditionLength + 1))).toContain(at(maxConditionLength, 'characters in a condition'))
})

test('what is no grant is told as what it is', () => {
  expect(saysOf([{ ...grant, permissions: ['tools:eat'] }])).toContain('tools:eat')
  expect(saysOf([{ ...grant, permissions: [7] }])).toContain('7')
  expect(saysOf([{ ...grant, resources: ['no such: thing'] }])).toContain('no such: thing')
  expect(saysOf([{ ...grant, when: '' }])).toContain('it is no text')
  expect(saysOf([{ ...grant, when: ' ' }])).toContain('it is no text')
  expect(saysOf([{ ...grant, when: 7 }])).toContain('it is no text')
  expect(saysOf([{ ...grant, permissions: ['roles:write'] }])).toContain('roles:write')
  for (const bad of [
    undefined,
    null,
    'x',
    [null],
    [{}],
    [{ ...grant, permissions: [] }],
    [{ ...grant, resources: [] }],
  ])
    expect(saysOf(bad), JSON.stringify(bad)).not.toBe('it is one')
})

test('a grant is kept with what it has, and with nothing else', () => {
  expect(plainGrant({ ...grant, stepUp: true, when: 'true', more: 1 } as never)).toEqual({
    ...grant,
    stepUp: true,
    when: 'true',
  })
  expect(Object.keys(plainGrant({ ...grant, when: undefined } as never))).toEqual(['permissions', 'resources'])
})
