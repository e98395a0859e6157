/**
 * Does somebody give or take more than they have?
 * Stops: a person who may edit roles, and no more, making themselves an administrator.
 * Trusts: the roles of the principal and the verified roles of the policy.
 * Fails: a grant that cannot be compared counts as beyond reach.
 */
import { refuse, type Principal, type Refusal } from '#kernel'
import { grantedThingOf, includes } from '../permissions.ts'
import { policyRefusals } from '../refusals.ts'
import { contains, parsePattern, touches } from './resource-pattern.ts'
import type { Grant, Role } from './role.ts'

interface Given extends Pick<Grant, 'stepUp' | 'when'> {
  readonly permission: string
  readonly resource: string
}

function holds(own: readonly Grant[], { permission, resource, stepUp, when }: Given): boolean {
  const narrow = parsePattern(resource)
  if (narrow === undefined) return false
  const thing = grantedThingOf(permission)
  // WHY: a pair that can never apply gives nothing away.
  if (thing !== undefined && !touches(narrow, thing)) return true
  return own.some((grant) => {
    // INVARIANT: what one may do with a fresh factor alone, one does not give to be done without.
    if (grant.stepUp === true && stepUp === undefined) return false
    // INVARIANT: nor without the condition under which one has it; that two conditions mean the same is not told.
    if (grant.when !== undefined && grant.when !== when) return false
    if (!grant.permissions.some((wide) => includes(wide, permission))) return false
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
  by: Pick<Principal, 'roles'>,
  roles: readonly Pick<Role, 'name' | 'grants'>[],
  grants: readonly Grant[],
): Refusal | undefined {
  const own = roles.filter((role) => by.roles.includes(role.name)).flatMap((role) => role.grants)
  for (const grant of grants) {
    for (const permission of grant.permissions) {
      const pattern = grant.resources.find((resource) => !holds(own, { ...grant, permission, resource }))
      if (pattern !== undefined) return refuse(policyRefusals.beyondOwnGrants, { names: { permission, pattern } })
    }
  }
  return undefined
}
