/**
 * Does somebody give or take more than they have?
 * Stops: a person who may edit roles, and no more, making themselves an administrator.
 * Trusts: the roles of the principal and the verified roles of the policy.
 * Fails: a grant that cannot be compared counts as beyond reach.
 */
import { refuse, type Principal, type Refusal } from '#kernel'
import { thingOf } from '../permissions.ts'
import { policyRefusals } from '../refusals.ts'
import { contains, parsePattern, touches } from './resource-pattern.ts'
import type { Grant, Role } from './role.ts'

function holds(own: readonly Grant[], permission: string, resource: string, stepUp: true | undefined): boolean {
  const narrow = parsePattern(resource)
  if (narrow === undefined) return false
  const thing = thingOf(permission)
  // WHY: a pair that can never apply gives nothing away.
  if (thing !== undefined && !touches(narrow, thing)) return true
  return own.some((grant) => {
    // INVARIANT: what one may do with a fresh factor alone, one does not give to be done without.
    if (grant.stepUp === true && stepUp === undefined) return false
    if (!grant.permissions.includes('*') && !grant.permissions.includes(permission)) return false
    return grant.resources.some((text) => {
      const wide = parsePattern(text)
      return wide !== undefined && contains(wide, narrow)
    })
  })
}

/**
 * A refusal when some part of `grants` is not within one grant of the principal's own roles. Deliberately narrow: parts
 * that only several grants together would cover are refused.
 */
export function refuseBeyondReach(
  by: Principal,
  roles: readonly Pick<Role, 'name' | 'grants'>[],
  grants: readonly Grant[],
): Refusal | undefined {
  const own = roles.filter((role) => by.roles.includes(role.name)).flatMap((role) => role.grants)
  for (const grant of grants) {
    for (const permission of grant.permissions) {
      const pattern = grant.resources.find((resource) => !holds(own, permission, resource, grant.stepUp))
      if (pattern !== undefined) return refuse(policyRefusals.beyondOwnGrants, { names: { permission, pattern } })
    }
  }
  return undefined
}
