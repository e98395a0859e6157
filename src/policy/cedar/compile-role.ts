/**
 * Which Cedar text says what a role says?
 * Stops: a name that changes the meaning of the text; a condition that adds to it; two grants that share a rule.
 * Trusts: `quote`, for every name that came from outside.
 * Fails: a pattern or permission that cannot be read is a Fault, never a wider policy.
 */
import { Fault } from '#kernel'
import { canStepUp, grantedThingOf } from '../permissions.ts'
import { parsePattern, type OfferedKind, type ResourcePattern } from '../roles/resource-pattern.ts'
import type { Grant, Role } from '../roles/role.ts'
import { quote } from './quote.ts'
import { namespace } from './schema.ts'

/** One grant as a Cedar policy; one that asks for a fresh factor has a second, which forbids what came without. */
export interface GrantText {
  /** `role:<name>#<number of the grant, from 1>`, with `!step-up` where it forbids; also its `@id` annotation. */
  readonly id: string
  readonly grantNumber: number
  readonly text: string
  readonly isStepUp: boolean
}

function oneOf(left: string, values: readonly string[]): string {
  const sorted = [...new Set(values)].toSorted()
  const [first] = sorted
  if (sorted.length === 1 && first !== undefined) return `${left} == ${quote(first)}`
  return `[${sorted.map(quote).join(', ')}].contains(${left})`
}

function is(kind: string): string {
  return `resource is ${namespace}::${kind}`
}

function namesByPlace(patterns: readonly ResourcePattern[]): string[] {
  const places = new Map<string, { kind: OfferedKind; upstream: string; names: string[] }>()
  for (const pattern of patterns) {
    if (pattern.covers !== 'one') continue
    const key = `${pattern.kind}/${pattern.upstream}`
    const place = places.get(key) ?? { kind: pattern.kind, upstream: pattern.upstream, names: [] }
    place.names.push(pattern.name)
    places.set(key, place)
  }
  return [...places.values()].map(
    ({ kind, upstream, names }) =>
      `${is(kind)} && ${oneOf('resource.upstream', [upstream])} && ${oneOf('resource.name', names)}`,
  )
}

/** The alternatives of a `when` clause; undefined for a grant on everything. */
function conditions(patterns: readonly ResourcePattern[]): string[] | undefined {
  if (patterns.some((pattern) => pattern.covers === 'everything')) return undefined
  const found: string[] = []
  if (patterns.some((pattern) => pattern.covers === 'admin-plane')) found.push(is('AdminPlane'))
  const upstreams = (matches: (pattern: ResourcePattern) => boolean) =>
    patterns.flatMap((pattern) => ('upstream' in pattern && matches(pattern) ? [pattern.upstream] : []))
  const servers = upstreams((pattern) => pattern.covers === 'server')
  if (servers.length > 0) found.push(`${is('Server')} && ${oneOf('resource.upstream', servers)}`)
  for (const kind of ['Tool', 'Resource', 'Prompt'] as const) {
    const whole = upstreams(
      (pattern) => pattern.covers === 'contents' || (pattern.covers === 'kind' && pattern.kind === kind),
    )
    if (whole.length > 0) found.push(`${is(kind)} && ${oneOf('resource.upstream', whole)}`)
  }
  return [...found, ...namesByPlace(patterns)]
}

function actionScope(grant: Grant): string {
  if (grant.permissions.includes('*')) return 'action'
  const unknown = grant.permissions.find((permission) => grantedThingOf(permission) === undefined)
  if (unknown !== undefined) throw new Fault('policy.uncompilable', 'a grant has a permission that does not exist')
  const actions = [...new Set(grant.permissions)].toSorted().map((name) => `${namespace}::Action::${quote(name)}`)
  return `action in [${actions.join(', ')}]`
}

function patternsOf(grant: Grant): ResourcePattern[] {
  const patterns = grant.resources.map((text) => {
    const pattern = parsePattern(text)
    if (pattern === undefined) throw new Fault('policy.uncompilable', 'a grant has a resource pattern of no known form')
    return pattern
  })
  // INVARIANT: a grant without permissions or resources would compile to "any"; it is no grant.
  if (patterns.length === 0 || grant.permissions.length === 0) {
    throw new Fault('policy.uncompilable', 'a grant has no permissions or no resources')
  }
  return patterns
}

/** Scope and conditions of a grant, which its permit and its forbid share. */
function ruleOf(role: string, grant: Grant): string {
  const places = conditions(patternsOf(grant))?.map((condition) => `  (${condition})`)
  const scope = `(\n  principal in ${namespace}::Role::${quote(role)},\n  ${actionScope(grant)},\n  resource\n)`
  const where = places === undefined ? '' : ` when {\n${places.join(' ||\n')}\n}`
  // WHY: on lines of its own, so that a comment at its end does not reach the brace.
  return `${scope}${where}${grant.when === undefined ? '' : ` when {\n${grant.when}\n}`}`
}

function compileGrant(role: string, grant: Grant, grantNumber: number): GrantText[] {
  const id = `role:${role}#${grantNumber}`
  const rule = ruleOf(role, grant)
  const permit = { id, grantNumber, isStepUp: false, text: `@id(${quote(id)})\npermit ${rule};` }
  if (grant.stepUp !== true) return [permit]
  // INVARIANT: what is no single call leaves nobody to prove a factor for it.
  if (!grant.permissions.every(canStepUp)) throw new Fault('policy.uncompilable', 'a grant asks for a factor in vain')
  // WHY: forbidden rather than not permitted, so that it also holds where another grant permits it without.
  const own = `${id}!step-up`
  const text = `@id(${quote(own)})\n@remedy("step-up")\nforbid ${rule};`
  return [permit, { id: own, grantNumber, isStepUp: true, text }]
}

/**
 * The Cedar policies of a role, in the order of its grants.
 * @throws Fault `policy.uncompilable` when the role was not checked by `checkRole`
 */
export function compileRole({ name, grants }: Pick<Role, 'name' | 'grants'>): GrantText[] {
  return grants.flatMap((grant, index) => compileGrant(name, grant, index + 1))
}
