/**
 * Which things can a rule be about, as far as its conditions say so at their beginning?
 * Stops: a rule that is left out although it holds, or although Cedar would report an error of it.
 * Trusts: nothing.
 * Fails: conditions that are not understood pin nothing: the rule is always asked.
 */
import { chainOf, operatorOf } from './compile-expression.ts'
import { isSet } from './operators.ts'
import { constantOf } from './reads.ts'

/** The attributes of a resource by which rules are found. */
export type PinnedAttribute = 'upstream' | 'name'

/** One condition that holds for some things only, and that never errs where the attribute is a string. */
export type Pin =
  | { readonly on: 'type'; readonly type: string }
  | { readonly on: PinnedAttribute; readonly values: ReadonlySet<string> }

/** Conditions in the order in which they are asked. */
export type Pins = readonly Pin[]

const mostAlternatives = 256

function attributeOf(expression: unknown): PinnedAttribute | undefined {
  const [name, given] = operatorOf(expression)
  if (name !== '.' || !isResource(given['left'])) return undefined
  return given['attr'] === 'upstream' || given['attr'] === 'name' ? given['attr'] : undefined
}

function isResource(expression: unknown): boolean {
  const [name, given] = operatorOf(expression)
  return name === 'Var' && given['given'] === 'resource'
}

function pinOfEquality(left: unknown, right: unknown): Pin | undefined {
  const on = attributeOf(left)
  const value = on === undefined ? undefined : constantOf(right)
  return on !== undefined && typeof value === 'string' ? { on, values: new Set([value]) } : undefined
}

function pinOfContains(left: unknown, right: unknown): Pin | undefined {
  const on = attributeOf(right)
  const set = on === undefined ? undefined : constantOf(left)
  if (on === undefined || set === undefined || !isSet(set)) return undefined
  return { on, values: new Set(Array.from(set.values()).filter((value) => typeof value === 'string')) }
}

function pinOf(expression: unknown): Pin | undefined {
  const [name, given] = operatorOf(expression)
  const { left, right } = given
  if (name === '==') return pinOfEquality(left, right) ?? pinOfEquality(right, left)
  if (name === 'contains') return pinOfContains(left, right)
  const type = given['entity_type']
  if (name !== 'is' || !isResource(left) || typeof type !== 'string') return undefined
  return given['in'] === undefined || given['in'] === null ? { on: 'type', type } : undefined
}

interface Found {
  readonly alternatives: readonly Pins[]
  /** Whether the whole expression is made of pins, so that nothing in it errs. */
  readonly isWhole: boolean
}

function combine(before: readonly Pins[], after: readonly Pins[]): readonly Pins[] | undefined {
  if (before.length * after.length > mostAlternatives) return undefined
  return before.flatMap((first) => after.map((second) => [...first, ...second]))
}

function pinsOfAll(parts: readonly unknown[]): Found {
  let alternatives: readonly Pins[] = [[]]
  for (const part of parts) {
    const found = pinsOf(part)
    const combined = combine(alternatives, found.alternatives)
    if (combined === undefined) return { alternatives, isWhole: false }
    alternatives = combined
    // INVARIANT: behind a condition that may err, no other one keeps the rule from erring.
    if (!found.isWhole) return { alternatives, isWhole: false }
  }
  return { alternatives, isWhole: true }
}

function pinsOf(expression: unknown): Found {
  const [name] = operatorOf(expression)
  if (name === '&&') return pinsOfAll(chainOf('&&', expression))
  if (name === '||') {
    const parts = chainOf('||', expression)
    if (parts.length > mostAlternatives) return { alternatives: [[]], isWhole: false }
    const found = parts.map(pinsOf)
    const alternatives = found.flatMap((one) => one.alternatives)
    const isWhole = found.every((one) => one.isWhole)
    return alternatives.length > mostAlternatives ? { alternatives: [[]], isWhole: false } : { alternatives, isWhole }
  }
  const pin = pinOf(expression)
  return pin === undefined ? { alternatives: [[]], isWhole: false } : { alternatives: [[pin]], isWhole: true }
}

/**
 * What a condition asks besides the pins at its beginning; undefined where it asks nothing besides. Only for a rule with
 * one alternative, of which all pins hold and cannot err.
 */
export function withoutPins(condition: unknown): unknown {
  const parts = chainOf('&&', condition)
  const firstOther = parts.findIndex((part) => pinOf(part) === undefined)
  if (firstOther === -1) return undefined
  const [first, ...others] = parts.slice(firstOther)
  return others.reduce((left, right) => ({ '&&': { left, right } }), first)
}

/**
 * The alternatives of which at least one has to hold for the rule to hold or to err; a rule that pins nothing has one
 * without pins.
 * @param conditions the bodies of its first `when` clauses, in order
 */
export function findPins(conditions: readonly unknown[]): readonly Pins[] {
  return pinsOfAll(conditions).alternatives
}
