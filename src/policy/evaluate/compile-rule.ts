/**
 * When does one rule hold?
 * Stops: a rule that holds for whom or what its head leaves out.
 * Trusts: nothing: a rule of no known form is not compiled.
 * Fails: a rule of no known form is a Fault.
 * @see https://docs.cedarpolicy.com/policies/json-format.html
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { Fault } from '#kernel'
import { findPins, type Pin, type Pins, withoutPins } from './pins.ts'
import { readsOf, type Read } from './reads.ts'
import { readConstraint, type Constraint } from './scope.ts'
import type { ShareTests, Tests } from './share-tests.ts'
import type { EntityUid } from './values.ts'

/** One rule in Cedar's JSON form. */
export interface RuleSource {
  readonly id: string
  readonly json: PolicyJson
}

/** What is asked of a request that a rule can be about. */
export interface AskedRule extends Tests {
  readonly id: string
  readonly isPermit: boolean
}

/** Its `test` says whether it holds for a request that fits `principal`, `action` and the type of the resource. */
export interface CompiledRule extends AskedRule {
  readonly principal: Constraint
  readonly action: Constraint
  /** Alternatives, at least one of which has to be possible. */
  readonly pins: readonly Pins[]
  /** The same where all pins hold and there is one alternative; undefined where there are several. */
  readonly beyondPins: (() => AskedRule) | undefined
  /** What it reads of a request, its head included. */
  readsInAll(): readonly Read[]
}

interface Clause {
  readonly isWhen: boolean
  readonly body: unknown
}

function readClauses(json: unknown): Clause[] {
  if (!Array.isArray(json)) throw new Fault('policy.unreadable', 'a rule has no list of conditions')
  return json.map((clause: unknown) => {
    const { kind, body } = (clause ?? {}) as { kind?: unknown; body?: unknown }
    if (kind !== 'when' && kind !== 'unless') throw new Fault('policy.unreadable', 'a condition is of no known form')
    return { isWhen: kind === 'when', body }
  })
}

function literal({ type, id }: EntityUid): unknown {
  return { Value: { __entity: { type, id } } }
}

type Variable = 'principal' | 'action' | 'resource'

/** What a head says of one of the three, as expressions. */
function expressionsOf(variable: Variable, { is, equals, within }: Constraint): unknown[] {
  const left = { Var: variable }
  const found: unknown[] = []
  if (is !== undefined) found.push({ is: { left, entity_type: is } })
  if (equals !== undefined) found.push({ '==': { left, right: literal(equals) } })
  const [first] = within ?? []
  if (within?.length === 1 && first !== undefined) found.push({ in: { left, right: literal(first) } })
  else if (within !== undefined) found.push({ in: { left, right: { Set: within.map(literal) } } })
  return found
}

/** INVARIANT: leaves out what the pins settled and nothing else, from the beginning on. */
function bodiesBeyondPins(pinning: readonly unknown[]): unknown[] {
  const firstOpen = pinning.findIndex((body) => withoutPins(body) !== undefined)
  return firstOpen === -1 ? [] : [withoutPins(pinning[firstOpen]), ...pinning.slice(firstOpen + 1)]
}

/** @throws Fault `policy.unreadable` where it is of no known form */
export function compileRule({ id, json }: RuleSource, share: ShareTests): CompiledRule {
  const { effect } = json as { effect: unknown }
  if (effect !== 'permit' && effect !== 'forbid') throw new Fault('policy.unreadable', 'a rule has no known effect')
  const clauses = readClauses(json.conditions)
  const [principal, action, resource] = [json.principal, json.action, json.resource].map(readConstraint)
  if (principal === undefined || action === undefined || resource === undefined) throw new Error('three are read')
  const { is: type, ...rest } = resource
  const bodies = clauses.map(({ isWhen, body }) => (isWhen ? body : { '!': { arg: body } }))
  const tests = [...expressionsOf('resource', rest), ...bodies]
  const firstUnless = clauses.findIndex(({ isWhen }) => !isWhen)
  const pinning = firstUnless === -1 ? bodies : bodies.slice(0, firstUnless)
  const typePin: Pin[] = type === undefined ? [] : [{ on: 'type', type }]
  const heads = [...expressionsOf('principal', principal), ...expressionsOf('action', action)]
  if (type !== undefined) heads.push(...expressionsOf('resource', { is: type }))
  const pins = findPins(pinning)
  const named = { id, isPermit: effect === 'permit' }
  const isOnlyPinned = pins.length === 1 && pins[0]?.length !== 0
  let beyond: AskedRule | undefined
  const beyondPins = (): AskedRule =>
    (beyond ??= {
      ...named,
      ...share([...expressionsOf('resource', rest), ...bodiesBeyondPins(pinning), ...bodies.slice(pinning.length)]),
    })
  return {
    ...named,
    principal,
    action,
    pins: pins.map((alternative) => [...typePin, ...alternative]),
    beyondPins: isOnlyPinned ? beyondPins : undefined,
    ...share(tests),
    readsInAll: () => [...heads, ...tests].flatMap(readsOf),
  }
}
