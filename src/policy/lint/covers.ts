/**
 * Does one rule apply wherever another does?
 * Stops: a claim that is not certain: rules are compared by what is written, and what differs is taken to differ.
 * Trusts: the engine's JSON form.
 * Fails: where it cannot be told, it does not cover.
 */
import { requestActions } from '../permissions.ts'
import type { CompiledRule } from '../cedar/source.ts'
import { namespace } from '../cedar/schema.ts'
import { conjunctsOf, everyPart } from './expressions.ts'

/** A rule with what is compared of it. */
export interface Comparable {
  readonly rule: CompiledRule
  readonly principal: string
  readonly resource: string
  readonly actions: ReadonlySet<string>
  readonly conjuncts: ReadonlySet<string>
}

const all = JSON.stringify({ op: 'All' })

/** The names of all actions in the scope of a rule. */
function actionsOf({ json }: CompiledRule): ReadonlySet<string> {
  const { op } = json.action
  if (op === 'All') return new Set(requestActions.map(({ name }) => name))
  const named = new Set(everyPart(json.action).flatMap(({ id }) => (typeof id === 'string' ? [id] : [])))
  const isIn = ({ name, groups }: (typeof requestActions)[number]) =>
    named.has(name) || (op === 'in' && groups.some((group) => named.has(group)))
  return new Set(requestActions.filter(isIn).map(({ name }) => name))
}

export function comparable(rule: CompiledRule): Comparable {
  return {
    rule,
    principal: JSON.stringify(rule.json.principal),
    resource: JSON.stringify(rule.json.resource),
    actions: actionsOf(rule),
    conjuncts: new Set(conjunctsOf(rule)),
  }
}

/** Kinds of things that a rule can be about at all, by its actions and its scope. */
function thingsOf({ actions, rule }: Comparable): ReadonlySet<string> {
  const { entity_type: kind } = rule.json.resource as { entity_type?: string }
  const things = requestActions.filter(({ name }) => actions.has(name)).map(({ thing }) => `${namespace}::${thing}`)
  return new Set(kind === undefined ? things : things.filter((thing) => thing === kind))
}

function coversResource(wide: Comparable, narrow: Comparable): boolean {
  if (wide.resource === all || wide.resource === narrow.resource) return true
  const scope = wide.rule.json.resource as { op: string; entity_type?: string; in?: unknown }
  if (scope.op !== 'is' || scope.in !== undefined) return false
  return [...thingsOf(narrow)].every((thing) => thing === scope.entity_type)
}

function isWithin(few: ReadonlySet<string>, many: ReadonlySet<string>): boolean {
  return few.size <= many.size && [...few].every((one) => many.has(one))
}

/** True only where `wide` certainly applies to everything that `narrow` applies to. */
export function covers(wide: Comparable, narrow: Comparable): boolean {
  if (wide.principal !== all && wide.principal !== narrow.principal) return false
  return (
    coversResource(wide, narrow) && isWithin(narrow.actions, wide.actions) && isWithin(wide.conjuncts, narrow.conjuncts)
  )
}

/** For each rule the first other one that covers it, if there is one. */
export function findCovers(
  narrow: readonly Comparable[],
  wide: readonly Comparable[],
): { readonly rule: CompiledRule; readonly by: CompiledRule }[] {
  const byPrincipal = Map.groupBy(wide, ({ principal }) => principal)
  const place = new Map(wide.map((one, at) => [one, at]))
  return narrow.flatMap((one) => {
    const candidates = [
      ...(byPrincipal.get(all) ?? []),
      ...(one.principal === all ? [] : (byPrincipal.get(one.principal) ?? [])),
    ]
    const by = candidates.find((other) => {
      if (other.rule === one.rule || !covers(other, one)) return false
      // WHY: of two that say the same, the later one is the one too many.
      return !place.has(one) || !covers(one, other) || (place.get(other) ?? 0) < (place.get(one) ?? 0)
    })
    return by === undefined ? [] : [{ rule: one.rule, by: by.rule }]
  })
}
