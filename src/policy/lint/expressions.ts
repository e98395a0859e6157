/**
 * What does a condition of a rule speak of?
 * Stops: nothing by itself: linters read conditions through this.
 * Trusts: the engine's JSON form.
 * Fails: a form that is not known speaks of nothing.
 * @see https://docs.cedarpolicy.com/policies/json-format.html
 */
import type { CompiledRule } from '../cedar/source.ts'

/** One node of the engine's JSON form. */
export type Expression = Readonly<Record<string, unknown>>

export interface EntityName {
  readonly type: string
  readonly id: string
}

function isObject(value: unknown): value is Expression {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An expression and everything in it. */
export function everyPart(node: unknown): Expression[] {
  if (Array.isArray(node)) return node.flatMap(everyPart)
  if (!isObject(node)) return []
  return [node, ...Object.values(node).flatMap(everyPart)]
}

/** The bodies of a rule's `when` and `unless`. */
export function conditionsOf({ json }: CompiledRule): readonly { readonly kind: string; readonly body: Expression }[] {
  return json.conditions.map(({ kind, body }) => ({ kind, body: body as Expression }))
}

/** Everything in all conditions of a rule. */
export function partsOf(rule: CompiledRule): Expression[] {
  return conditionsOf(rule).flatMap(({ body }) => everyPart(body))
}

/** The parts that all have to be true for a rule to apply, as text to compare. */
export function conjunctsOf(rule: CompiledRule): string[] {
  const split = (body: unknown): unknown[] => {
    const both = isObject(body) ? (body['&&'] as { left: unknown; right: unknown } | undefined) : undefined
    return both === undefined ? [body] : [...split(both.left), ...split(both.right)]
  }
  return conditionsOf(rule).flatMap(({ kind, body }) =>
    kind === 'when' ? split(body).map((part) => JSON.stringify(part)) : [`unless ${JSON.stringify(body)}`],
  )
}

/** The text of a literal; undefined of anything else. */
export function literalText(node: unknown): string | undefined {
  const value = isObject(node) ? node['Value'] : undefined
  return typeof value === 'string' ? value : undefined
}

/** `context.zones` as `context.zones`; undefined of anything but a variable and its attributes. */
export function pathOf(node: unknown): string | undefined {
  if (!isObject(node)) return undefined
  if (typeof node['Var'] === 'string') return node['Var']
  const access = node['.'] as { left: unknown; attr: string } | undefined
  const left = access === undefined ? undefined : pathOf(access.left)
  return left === undefined || access === undefined ? undefined : `${left}.${access.attr}`
}

interface Binary {
  readonly left: unknown
  readonly right: unknown
}

function binary(node: Expression, operator: string): Binary | undefined {
  return node[operator] as Binary | undefined
}

/** The texts that a path is compared with: `path == "x"` and `["x", "y"].contains(path)`. */
export function textsComparedWith(rule: CompiledRule, path: string): string[] {
  return partsOf(rule).flatMap((node) => {
    const equal = binary(node, '==')
    if (equal !== undefined) {
      if (pathOf(equal.left) === path) return literalText(equal.right) ?? []
      if (pathOf(equal.right) === path) return literalText(equal.left) ?? []
    }
    const contains = binary(node, 'contains')
    if (contains === undefined || pathOf(contains.right) !== path || !isObject(contains.left)) return []
    const members = contains.left['Set']
    return Array.isArray(members) ? members.flatMap((one) => literalText(one) ?? []) : []
  })
}

/** The texts that a set is asked for: `path.contains("x")`, `containsAny` and `containsAll`. */
export function textsAskedOf(rule: CompiledRule, path: string): string[] {
  return partsOf(rule).flatMap((node) => {
    const asked = binary(node, 'contains') ?? binary(node, 'containsAny') ?? binary(node, 'containsAll')
    if (asked === undefined || pathOf(asked.left) !== path) return []
    const set = isObject(asked.right) ? asked.right['Set'] : undefined
    return (Array.isArray(set) ? set : [asked.right]).flatMap((one) => literalText(one) ?? [])
  })
}

/** Keys of the arguments that a rule reads, by the attribute of the context that holds their kind. */
export function argumentKeysOf(rule: CompiledRule): { readonly kind: string; readonly key: string }[] {
  return partsOf(rule).flatMap((node) => {
    const read = binary(node, 'getTag')
    const kind = read === undefined ? undefined : pathOf(read.left)
    const key = read === undefined ? undefined : literalText(read.right)
    if (kind === undefined || key === undefined || !kind.startsWith('context.')) return []
    return [{ kind: kind.slice('context.'.length), key }]
  })
}

/** Every entity that a rule names, in its scope and in its conditions. */
export function entitiesOf(rule: CompiledRule): EntityName[] {
  const { principal, action, resource } = rule.json
  return [...everyPart([principal, action, resource]), ...partsOf(rule)].flatMap((node) => {
    const { type, id } = node
    return typeof type === 'string' && typeof id === 'string' ? [{ type, id }] : []
  })
}

/** Does a condition speak of this variable at all? */
export function speaksOf(rule: CompiledRule, variable: 'principal' | 'resource'): boolean {
  return partsOf(rule).some((node) => node['Var'] === variable)
}
