/**
 * Which values does a rule reckon with?
 * Stops: two different values that count as equal; a value of one type read as another.
 * Trusts: whoever builds a request to give well-formed Unicode and only what these types say.
 * Fails: what cannot be reckoned is a `Wrong` value, which spreads to whatever reads it; nothing here throws.
 * @see https://docs.cedarpolicy.com/policies/syntax-datatypes.html
 */

/** An entity's name: type with its namespace, and id. */
export interface EntityUid {
  readonly kind: 'entity'
  readonly type: string
  readonly id: string
}

/** A set without order and doubles. */
export interface CedarSet {
  readonly kind: 'set'
  readonly size: number
  has(value: Value): boolean
  values(): Iterable<Value>
}

/** A record; its members are asked for one at a time, so that nothing is built that no rule reads. */
export interface CedarRecord {
  readonly kind: 'record'
  /** Undefined where there is no such member. */
  get(name: string): Result | undefined
  /** Names of all members that `get` knows. */
  names(): Iterable<string>
}

/** An address or a network: its bits as one number, and how many of them count. */
export interface CedarIp {
  readonly kind: 'ip'
  readonly version: 4 | 6
  readonly bits: bigint
  readonly prefix: number
}

/** `units` are ten-thousandths. */
export interface CedarDecimal {
  readonly kind: 'decimal'
  readonly units: bigint
}

/** Milliseconds since the epoch. */
export interface CedarDatetime {
  readonly kind: 'datetime'
  readonly ms: bigint
}

export interface CedarDuration {
  readonly kind: 'duration'
  readonly ms: bigint
}

/** A Long is a `number` where that is safe and a `bigint` everywhere else: equal Longs are the same value. */
export type Value =
  | string
  | boolean
  | number
  | bigint
  | EntityUid
  | CedarSet
  | CedarRecord
  | CedarIp
  | CedarDecimal
  | CedarDatetime
  | CedarDuration

/** What nobody told, as the arguments of a call in a listing: any value, none, or one that cannot be reckoned with. */
export interface Unknown {
  readonly kind: 'unknown'
  /**
   * `never-true`: false, or it cannot be reckoned; `never-false`: true, or it cannot be reckoned; `any`: whatever may be.
   */
  readonly may: 'any' | 'never-true' | 'never-false'
}

/** Why something cannot be reckoned. */
export interface Wrong {
  readonly kind: 'wrong'
  readonly because: 'type' | 'missing' | 'overflow' | 'unparsable' | 'confused'
  /** One line for investigators; it holds no values. */
  readonly says: string
}

export type Result = Value | Unknown | Wrong

/** One entity, asked for attribute by attribute and tag by tag. */
export interface Entity {
  /** Undefined where it has none of this name. */
  attribute(name: string): Result | undefined
  /** Undefined where it has none under this key. */
  tag(key: string): Result | undefined
  /** All of them: parents, their parents, and so on; without doubles. */
  readonly ancestors: readonly EntityUid[]
}

/** What the rules are asked; everything besides the three names is only asked for where a rule reads it. */
export interface CedarRequest {
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: CedarRecord
  /** Undefined for an entity that nobody knows. The ancestors of an action are the same in all requests to one set of rules. */
  entity(uid: EntityUid): Entity | undefined
}

/** The marker for what nobody told. */
export const unknown: Unknown = Object.freeze({ kind: 'unknown', may: 'any' })
export const neverTrue: Unknown = Object.freeze({ kind: 'unknown', may: 'never-true' })
export const neverFalse: Unknown = Object.freeze({ kind: 'unknown', may: 'never-false' })

export function wrong(because: Wrong['because'], says: string): Wrong {
  return { kind: 'wrong', because, says }
}

/** A value that is there, but not of the type under which it was asked for: reading it denies. */
export function confused(says: string): Wrong {
  return wrong('confused', says)
}

export function uid(type: string, id: string): EntityUid {
  return { kind: 'entity', type, id }
}

const smallestLong = -(2n ** 63n)
const largestLong = 2n ** 63n - 1n

/** The Long of a whole number; `overflow` beyond 64 bits. */
export function long(exact: bigint): number | bigint | Wrong {
  if (exact < smallestLong || exact > largestLong) return wrong('overflow', 'a number is beyond 64 bits')
  const near = Number(exact)
  return Number.isSafeInteger(near) ? near : exact
}

/** Whether it can be reckoned with: neither unknown nor wrong. */
export function isValue(result: Result): result is Value {
  return typeof result !== 'object' || (result.kind !== 'unknown' && result.kind !== 'wrong')
}

/** A record of what is in a map or plain members; a member is read when it is asked for. */
export function recordOf(members: ReadonlyMap<string, Result>): CedarRecord {
  return { kind: 'record', get: (name) => members.get(name), names: () => members.keys() }
}

/** A set of texts. */
export function textSet(texts: ReadonlySet<string>): CedarSet {
  return {
    kind: 'set',
    size: texts.size,
    has: (value) => typeof value === 'string' && texts.has(value),
    values: () => texts,
  }
}
