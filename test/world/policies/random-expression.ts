import type { Random } from '../../../tools/fuzz/random.ts'
import type { CedarValueJson, Expr } from './json-world.ts'
import {
  attributeNames,
  type CedarType,
  entityPool,
  extensions,
  isExtension,
  randomValue,
  types,
} from './random-value.ts'

const of = (value: CedarValueJson): Expr => ({ Value: value })

function call(fn: string, ...given: Expr[]): Expr {
  // WHY: the engine's type says that functions are records of anything.
  return { [fn]: given } as Expr
}

function literal(random: Random, type: CedarType): Expr {
  if (isExtension(type)) {
    const { good, bad } = extensions[type]
    return call(type, of(random.oneIn(12) ? random.pick<string>(bad) : random.pick<string>(good)))
  }
  if (type === 'set')
    return { Set: Array.from({ length: random.below(4) }, () => literal(random, random.pick(types.slice(0, 3)))) }
  if (type === 'record') {
    return {
      Record: Object.fromEntries(
        attributeNames.filter(() => random.oneIn(5)).map((name) => [name, literal(random, 'long')]),
      ),
    }
  }
  return of(randomValue(random, type))
}

/** Where requests keep something of each type; see `randomEntities` and `randomRequest`. */
const places: Readonly<Record<CedarType, readonly string[]>> = {
  bool: ['flag'],
  long: ['count', 'large'],
  text: ['word', 'a'],
  set: ['words', 'things'],
  record: ['time'],
  entity: ['texts', 'numbers', 'friend'],
  ip: ['address'],
  decimal: ['price'],
  datetime: ['at'],
  duration: ['span'],
}

const variables = ['principal', 'action', 'resource', 'context'] as const

function attribute(random: Random, type: CedarType): Expr {
  if (random.oneIn(8)) {
    const left: Expr = random.oneIn(3) ? expression(random, 'entity', 1) : { Var: random.pick(variables) }
    return { '.': { left, attr: random.pick(attributeNames) } }
  }
  if (type === 'text' && random.oneIn(3)) {
    return { '.': { left: { Var: 'resource' }, attr: random.pick(['upstream', 'name'] as const) } }
  }
  const left: Expr = { Var: random.oneIn(3) ? 'principal' : 'context' }
  return { '.': { left, attr: random.pick(places[type]) } }
}

function tag(random: Random, type: CedarType): Expr {
  const holder = { '.': { left: { Var: 'context' as const }, attr: type === 'long' ? 'numbers' : 'texts' } }
  const left: Expr = random.oneIn(4) ? expression(random, 'entity', 1) : holder
  return {
    getTag: {
      left,
      right: random.oneIn(6) ? expression(random, 'text', 1) : of(random.pick(['to', 'n', 'x'] as const)),
    },
  }
}

type Maker = (random: Random, depth: number) => Expr

const pair = (random: Random, type: CedarType, depth: number) => ({
  left: expression(random, type, depth),
  right: expression(random, type, depth),
})

function pattern(random: Random): ('Wildcard' | { Literal: string })[] {
  return Array.from({ length: random.below(5) }, () =>
    random.oneIn(2) ? 'Wildcard' : { Literal: random.pick(['a', 'b', '*', '\\', '😀', 'é', '.']) },
  )
}

function has(random: Random, depth: number): Expr {
  const left: Expr = random.oneIn(3)
    ? expression(random, random.pick(['entity', 'record'] as const), depth)
    : { Var: random.pick(variables) }
  const name = () => random.pick([...attributeNames, 'time', 'hour', 'friend', 'word'] as const)
  if (random.oneIn(3)) return { has: { left, attr: [name(), name()] } }
  return { has: { left, attr: name() } }
}

const bools: readonly Maker[] = [
  (random, depth) => ({ '&&': pair(random, 'bool', depth) }),
  (random, depth) => ({ '&&': pair(random, 'bool', depth) }),
  (random, depth) => ({ '||': pair(random, 'bool', depth) }),
  (random, depth) => ({ '||': pair(random, 'bool', depth) }),
  (random, depth) => ({ '!': { arg: expression(random, 'bool', depth) } }),
  (random, depth) => ({ '==': pair(random, random.pick(types), depth) }),
  (random, depth) => ({ '!=': pair(random, random.pick(types), depth) }),
  (random, depth) => {
    const operands = pair(random, random.pick(['long', 'long', 'datetime', 'duration'] as const), depth)
    return random.pick<Expr>([{ '<': operands }, { '<=': operands }, { '>': operands }, { '>=': operands }])
  },
  (random, depth) => ({
    contains: { left: expression(random, 'set', depth), right: expression(random, random.pick(types), depth) },
  }),
  (random, depth) => ({ containsAll: pair(random, 'set', depth) }),
  (random, depth) => ({ containsAny: pair(random, 'set', depth) }),
  (random, depth) => ({ isEmpty: { arg: expression(random, 'set', depth) } }),
  (random, depth) => ({ like: { left: expression(random, 'text', depth), pattern: pattern(random) } }),
  (random, depth) => ({
    in: {
      left: expression(random, 'entity', depth),
      right: random.oneIn(2)
        ? expression(random, 'entity', depth)
        : { Set: Array.from({ length: random.below(3) }, () => expression(random, 'entity', depth)) },
    },
  }),
  (random, depth) => ({ is: { left: expression(random, 'entity', depth), entity_type: random.pick(entityPool).type } }),
  (random, depth) => ({
    is: {
      left: expression(random, 'entity', depth),
      entity_type: random.pick(entityPool).type,
      in: expression(random, 'entity', depth),
    },
  }),
  has,
  has,
  (random, depth) => ({
    hasTag: {
      left: random.oneIn(3)
        ? expression(random, 'entity', depth)
        : { '.': { left: { Var: 'context' }, attr: random.pick(['texts', 'numbers'] as const) } },
      right: random.oneIn(5) ? expression(random, 'text', depth) : of(random.pick(['to', 'n', 'x'] as const)),
    },
  }),
  (random, depth) =>
    call(random.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'] as const), expression(random, 'ip', depth)),
  (random, depth) => call('isInRange', expression(random, 'ip', depth), expression(random, 'ip', depth)),
  (random, depth) =>
    call(
      random.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'] as const),
      expression(random, 'decimal', depth),
      expression(random, 'decimal', depth),
    ),
]

const longs: readonly Maker[] = [
  (random, depth) => ({ '+': pair(random, 'long', depth) }),
  (random, depth) => ({ '-': pair(random, 'long', depth) }),
  (random, depth) => ({ '*': pair(random, 'long', depth) }),
  (random, depth) => ({ neg: { arg: expression(random, 'long', depth) } }),
  (random, depth) =>
    call(
      random.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'] as const),
      expression(random, 'duration', depth),
    ),
]

const makers: Readonly<Partial<Record<CedarType, readonly Maker[]>>> = {
  bool: bools,
  long: longs,
  set: [
    (random, depth) => ({
      Set: Array.from({ length: random.below(4) }, () => expression(random, random.pick(types), depth)),
    }),
  ],
  record: [
    (random, depth) => ({
      Record: Object.fromEntries(
        attributeNames
          .filter(() => random.oneIn(4))
          .map((name) => [name, expression(random, random.pick(types), depth)]),
      ),
    }),
  ],
  entity: [(random) => ({ Var: random.pick(['principal', 'action', 'resource'] as const) })],
  datetime: [
    (random, depth) => call('offset', expression(random, 'datetime', depth), expression(random, 'duration', depth)),
    (random, depth) => call('toDate', expression(random, 'datetime', depth)),
  ],
  duration: [
    (random, depth) =>
      call('durationSince', expression(random, 'datetime', depth), expression(random, 'datetime', depth)),
    (random, depth) => call('toTime', expression(random, 'datetime', depth)),
  ],
  ip: [(random, depth) => call('ip', expression(random, 'text', depth))],
}

const branches = ['if', 'then', 'else'] as const

/** An expression that mostly comes to a value of this type, and sometimes to one of another or to an error. */
export function expression(random: Random, wanted: CedarType, depth: number): Expr {
  const type = random.oneIn(25) ? random.pick(types) : wanted
  if (depth <= 0 || random.oneIn(6)) {
    if ((type === 'text' || type === 'long') && random.oneIn(4)) return tag(random, type)
    return random.oneIn(2) ? attribute(random, type) : literal(random, type)
  }
  if (random.oneIn(14)) {
    return {
      'if-then-else': Object.fromEntries(
        branches.map((branch) => [branch, expression(random, branch === 'if' ? 'bool' : type, depth - 1)]),
      ) as Record<(typeof branches)[number], Expr>,
    }
  }
  const own = makers[type]
  return own === undefined
    ? random.oneIn(2)
      ? attribute(random, type)
      : literal(random, type)
    : random.pick(own)(random, depth - 1)
}
