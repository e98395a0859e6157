/**
 * What is a role, and is a proposed one well formed?
 * Stops: names and patterns that mean nothing or look like more than they mean; grants that could never apply; roles too
 * large to judge.
 * Trusts: nothing; every field is checked, also its type.
 * Fails: the first thing wrong is refused by name.
 */
import { refuse, type Refusal } from '#kernel'
import { conditionProblem } from '../cedar/read-rule.ts'
import { canStepUp, grantedThingOf, permissions } from '../permissions.ts'
import { policyRefusals } from '../refusals.ts'
import { parsePattern, touches, type ResourcePattern } from './resource-pattern.ts'

/** Every permission of a grant holds on every resource of the same grant, where the two fit each other. */
export interface Grant {
  /** Permission names, or `*` for all of them. */
  readonly permissions: readonly string[]
  /** Resource patterns, see `parsePattern`. */
  readonly resources: readonly string[]
  /**
   * Each single call needs a fresh factor of its person, also where another grant of theirs asks for none. Only with
   * permissions of which `canStepUp` is true.
   */
  readonly stepUp?: true
  /** A Cedar expression that must hold besides; as written. */
  readonly when?: string
}

/** A grant with nothing but what a grant has. */
export function plainGrant({ permissions, resources, stepUp, when }: Grant): Grant {
  const demanded = stepUp === true ? { stepUp } : {}
  return { permissions, resources, ...demanded, ...(when === undefined ? {} : { when }) }
}

export interface Role {
  readonly name: string
  readonly description: string
  /** The name of a person who answers for it, and is asked who still needs it. */
  readonly owner?: string
  readonly grants: readonly Grant[]
  /** Shipped with the program: cannot be changed or removed. */
  readonly isShipped: boolean
  /** Milliseconds since the epoch. */
  readonly updatedAt: number
}

/** The role whose last active holder keeps it. */
export const adminRole = 'admin'

export const roleLimits = {
  maxGrants: 64,
  maxPermissions: 32,
  maxResources: 128,
  /** Of one pattern's name or URI, in UTF-16 units. */
  maxNameLength: 65_536,
  maxDescriptionLength: 500,
  /** Of an owner, in UTF-16 units. */
  maxOwnerLength: 200,
  /** Of the condition of one grant, in UTF-16 units. */
  maxConditionLength: 4_096,
  /** Of all grants of a role as JSON, in UTF-8. */
  maxRoleBytes: 262_144,
} as const

const roleName = /^[a-z][a-z0-9-]{0,62}$/
const upstreamNameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const controlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** Could an upstream have this name? */
export function isUpstreamName(text: string): boolean {
  return upstreamNameForm.test(text) && text !== 'castellan'
}

/** One line of text a person wrote: no control characters, no lone surrogates, at most `maxLength` UTF-16 units. */
export function isOneLine(text: unknown, maxLength: number): text is string {
  return typeof text === 'string' && text.length <= maxLength && text.isWellFormed() && !controlCharacter.test(text)
}

function tooLarge(limit: number, what: string): Refusal {
  return refuse(policyRefusals.roleTooLarge, { names: { limit: `${limit} ${what}` } })
}

function checkPattern(text: unknown): Refusal | undefined {
  const names = { pattern: typeof text === 'string' ? text : '' }
  if (typeof text !== 'string' || !text.isWellFormed()) return refuse(policyRefusals.patternInvalid, { names })
  const pattern = parsePattern(text)
  if (pattern === undefined) return refuse(policyRefusals.patternInvalid, { names })
  if (!('upstream' in pattern)) return undefined
  if (!isUpstreamName(pattern.upstream)) {
    const isWildcard = pattern.upstream.includes('*')
    return refuse(isWildcard ? policyRefusals.patternWildcard : policyRefusals.patternInvalid, { names })
  }
  if (pattern.covers !== 'one') return undefined
  if (pattern.name.length > roleLimits.maxNameLength) return tooLarge(roleLimits.maxNameLength, 'characters in a name')
  // WHY: a literal star would look like a wildcard to the next reader and never match.
  return pattern.name.includes('*') ? refuse(policyRefusals.patternWildcard, { names }) : undefined
}

function thingsOf(permission: string) {
  return (permission === '*' ? permissions : [permission]).flatMap((name) => grantedThingOf(name) ?? [])
}

function checkFit(grant: Grant): Refusal | undefined {
  const patterns = grant.resources.map((text) => parsePattern(text)).filter((one) => one !== undefined)
  const fits = (permission: string, pattern: ResourcePattern) =>
    thingsOf(permission).some((thing) => touches(pattern, thing))
  const idle = grant.permissions.find((permission) => !patterns.some((pattern) => fits(permission, pattern)))
  if (idle !== undefined) return refuse(policyRefusals.permissionIdle, { names: { permission: idle } })
  const untouched = patterns.findIndex((pattern) => !grant.permissions.some((permission) => fits(permission, pattern)))
  if (untouched === -1) return undefined
  return refuse(policyRefusals.resourceIdle, { names: { pattern: grant.resources[untouched] ?? '' } })
}

function checkStepUp({ stepUp, permissions: given }: Grant): Refusal | undefined {
  if (stepUp === undefined) return undefined
  if (stepUp !== true) return refuse(policyRefusals.stepUpInvalid)
  const permission = given.find((one) => !canStepUp(one))
  return permission === undefined ? undefined : refuse(policyRefusals.stepUpIdle, { names: { permission } })
}

function checkWhen({ when }: Grant): Refusal | undefined {
  if (when === undefined) return undefined
  const isText = typeof when === 'string' && when.trim() !== '' && when.isWellFormed()
  if (!isText) return refuse(policyRefusals.conditionInvalid, { names: { problem: 'it is no text' } })
  if (when.length > roleLimits.maxConditionLength) {
    return tooLarge(roleLimits.maxConditionLength, 'characters in a condition')
  }
  const problem = conditionProblem(when)
  return problem === undefined
    ? undefined
    : refuse(policyRefusals.conditionInvalid, { names: { problem: problem.says } })
}

function checkGrant(grant: Grant): Refusal | undefined {
  if (!Array.isArray(grant?.permissions) || !Array.isArray(grant.resources)) return refuse(policyRefusals.grantEmpty)
  if (grant.permissions.length === 0 || grant.resources.length === 0) return refuse(policyRefusals.grantEmpty)
  if (grant.permissions.length > roleLimits.maxPermissions) {
    return tooLarge(roleLimits.maxPermissions, 'permissions in a grant')
  }
  if (grant.resources.length > roleLimits.maxResources) return tooLarge(roleLimits.maxResources, 'resources in a grant')
  for (const permission of grant.permissions) {
    if (permission !== '*' && (typeof permission !== 'string' || grantedThingOf(permission) === undefined)) {
      return refuse(policyRefusals.permissionUnknown, { names: { permission: String(permission) } })
    }
  }
  const unasked = checkStepUp(grant) ?? checkWhen(grant)
  if (unasked !== undefined) return unasked
  for (const resource of grant.resources) {
    const refusal = checkPattern(resource)
    if (refusal !== undefined) return refusal
  }
  return checkFit(grant)
}

/** What is wrong with a proposed role, or undefined. Says nothing about the roles there already are. */
export function checkRole(role: Pick<Role, 'name' | 'description' | 'owner' | 'grants'>): Refusal | undefined {
  if (typeof role.name !== 'string' || !roleName.test(role.name)) {
    return refuse(policyRefusals.roleNameInvalid, { names: { role: String(role.name) } })
  }
  if (!isOneLine(role.description, roleLimits.maxDescriptionLength)) {
    return refuse(policyRefusals.descriptionInvalid, { names: { limit: String(roleLimits.maxDescriptionLength) } })
  }
  const { owner = 'nobody' } = role
  if (!isOneLine(owner, roleLimits.maxOwnerLength) || owner.trim() === '') {
    return refuse(policyRefusals.ownerInvalid, { names: { limit: String(roleLimits.maxOwnerLength) } })
  }
  if (!Array.isArray(role.grants)) return refuse(policyRefusals.grantEmpty)
  if (role.grants.length > roleLimits.maxGrants) return tooLarge(roleLimits.maxGrants, 'grants')
  for (const grant of role.grants as readonly Grant[]) {
    const refusal = checkGrant(grant)
    if (refusal !== undefined) return refusal
  }
  const isTooLarge = Buffer.byteLength(JSON.stringify(role.grants)) > roleLimits.maxRoleBytes
  return isTooLarge ? tooLarge(roleLimits.maxRoleBytes, 'bytes of grants') : undefined
}
