/**
 * Which Cedar text says what the roles say?
 * Stops: a name that changes the meaning of the text; two roles or grants that share a policy.
 * Trusts: `quote`, for every name that came from outside.
 * Fails: a pattern or permission that cannot be read is a Fault, never a wider policy.
 */
import { Fault } from '#kernel'
import { canStepUp, thingOf } from '../permissions.ts'
import { parsePattern, type OfferedKind, type ResourcePattern } from '../roles/resource-pattern.ts'
import type { Grant, Role } from '../roles/role.ts'
import { quote } from './quote.ts'
import { namespace } from './schema.ts'

/** One grant as a Cedar policy; one that asks for a fresh factor has a second policy, which forbids what came without. */
export interface CompiledPolicy {
  /** `role:<name>#<number of the grant, from 1>`, with `!step-up` where it forbids; also its `@id` annotation. */
  readonly id: string
  readonly role: string
  readonly grantNumber: number
  readonly text: string
}

export interface CompiledRoles {
  readonly policies: readonly CompiledPolicy[]
  /** All of them, with the version in the first line: two snapshots never have the same text. */
  readonly cedar: string
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
  const unknown = grant.permissions.find((permission) => thingOf(permission) === undefined)
  if (unknown !== undefined) throw new Fault('policy.uncompilable', 'a grant has a permission that does not exist')
  const actions = [...new Set(grant.permissions)].toSorted().map((name) => `${namespace}::Action::${quote(name)}`)
  return `action in [${actions.join(', ')}]`
}

function compileGrant(role: string, grant: Grant, grantNumber: number): CompiledPolicy[] {
  const id = `role:${role}#${grantNumber}`
  const patterns = grant.resources.map((text) => {
    const pattern = parsePattern(text)
    if (pattern === undefined) throw new Fault('policy.uncompilable', 'a grant has a resource pattern of no known form')
    return pattern
  })
  // INVARIANT: a grant without permissions or resources would compile to "any"; it is no grant.
  if (patterns.length === 0 || grant.permissions.length === 0) {
    throw new Fault('policy.uncompilable', 'a grant has no permissions or no resources')
  }
  const when = conditions(patterns)?.map((condition) => `  (${condition})`)
  const scope = `(\n  principal in ${namespace}::Role::${quote(role)},\n  ${actionScope(grant)},\n  resource\n)`
  const rule = `${scope}${when === undefined ? '' : ` when {\n${when.join(' ||\n')}\n}`}`
  const permit = { id, role, grantNumber, text: `@id(${quote(id)})\npermit ${rule};` }
  return grant.stepUp === true ? [permit, demand(permit, grant, rule)] : [permit]
}

/** WHY: forbidden rather than not permitted, so that it also holds where another grant permits it without. */
function demand({ id, role, grantNumber }: CompiledPolicy, grant: Grant, rule: string): CompiledPolicy {
  // INVARIANT: the context of other actions does not say whether a factor was proved.
  if (!grant.permissions.every(canStepUp)) throw new Fault('policy.uncompilable', 'a grant asks for a factor in vain')
  const own = `${id}!step-up`
  const text = `@id(${quote(own)})\n@remedy("step-up")\nforbid ${rule} unless {\n  context.stepUp\n};`
  return { id: own, role, grantNumber, text }
}

/**
 * The Cedar policies of the roles, in the order of their names: the same roles and version give the same text.
 * @throws Fault `policy.uncompilable` when a role was not checked by `checkRole`
 */
export function compileRoles(roles: readonly Pick<Role, 'name' | 'grants'>[], version: number): CompiledRoles {
  const sorted = roles.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  const policies = sorted.flatMap((role) =>
    role.grants.flatMap((grant, index) => compileGrant(role.name, grant, index + 1)),
  )
  const texts = [`// castellan roles, snapshot ${version}`, ...policies.map((policy) => policy.text)]
  return { policies, cedar: `${texts.join('\n\n')}\n` }
}
