import { describe, expect, test } from 'vitest'
import { refuseForService } from './service-reach.ts'
import { shippedRoles } from './shipped.ts'
import type { Grant } from './role.ts'

const unsaid = { mayReadAdmin: false }
const said = { mayReadAdmin: true }

function codeOf(grants: readonly Grant[], account: { mayReadAdmin: boolean }): string | undefined {
  return refuseForService({ name: 'x', grants }, account)?.code
}

describe('a service account', () => {
  test('is given whatever roles allow on the data plane', () => {
    const grants = [
      { permissions: ['*'], resources: ['notes/*'] },
      { permissions: ['tools:call', 'servers:use'], resources: ['*'] },
      { permissions: ['servers:use'], resources: ['notes'] },
    ]
    expect(codeOf(grants, unsaid)).toBeUndefined()
  })

  test('is given what reads the admin plane only where that was said, and what changes it never', () => {
    for (const resource of ['castellan', '*']) {
      expect(codeOf([{ permissions: ['audit:read'], resources: [resource] }], unsaid)).toBe('policy.admin-read-unsaid')
      expect(codeOf([{ permissions: ['audit:read'], resources: [resource] }], said)).toBeUndefined()
      for (const permission of ['*', 'people:write', 'config:write', 'holds:write', 'unheard:of']) {
        const grants = [
          { permissions: ['tools:call', 'audit:read'], resources: [resource] },
          { permissions: ['audit:read', permission], resources: [resource] },
        ]
        expect([permission, codeOf(grants, said)]).toEqual([permission, 'policy.role-for-people'])
      }
    }
  })

  test('is refused what one of many resources opens, and is told which permission of which role it was', () => {
    const mixed = [{ permissions: ['tools:call', 'people:write'], resources: ['notes/*', 'castellan'] }]
    const refusal = refuseForService({ name: 'mixed', grants: mixed }, said)
    expect(refusal?.code).toBe('policy.role-for-people')
    expect(refusal?.says).toContain('`mixed`')
    expect(`${refusal?.says} ${refusal?.hint}`).toContain('`people:write`')
    const reading = [{ permissions: ['tools:call', 'audit:read'], resources: ['notes/*', '*'] }]
    const unread = refuseForService({ name: 'reads', grants: reading }, unsaid)
    expect(unread?.code).toBe('policy.admin-read-unsaid')
    expect(`${unread?.says} ${unread?.hint}`).toMatch(/`reads`.*`audit:read`|`audit:read`.*`reads`/)
    const unreadable = [{ permissions: ['people:write'], resources: ['no/such/pattern'] }]
    expect(codeOf(unreadable, said)).toBe('policy.role-for-people')
  })

  test('is given no shipped role but `viewer`, and that one only where it was said', () => {
    const given = (account: { mayReadAdmin: boolean }) =>
      shippedRoles.filter((role) => refuseForService(role, account) === undefined).map(({ name }) => name)
    expect(given(said)).toEqual(['viewer'])
    expect(given(unsaid)).toEqual([])
  })
})
