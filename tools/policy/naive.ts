/**
 * An evaluator of Cedar's JSON form written for the proof `policy` alone: slow, without indices and caches, from the
 * specification of the language, and sharing no code with what it judges. https://docs.cedarpolicy.com/policies/json-format.html
 */
import type { JsonRequest, JsonWorld } from '../../test/world/policies/json-world.ts'
import type { Said } from '../../test/world/policies/official.ts'
import { callFunction } from './naive-functions.ts'
import { in64, type Naive, take, Wrong } from './naive-types.ts'

interface Known {
  readonly attrs: ReadonlyMap<string, Naive>
  readonly tags: ReadonlyMap<string, Naive>
  readonly spoiled: ReadonlySet<string>
  readonly parents: readonly string[]
}

/** By the names of entities, as `["type","id"]`: tags that go wrong when they are asked for. */
export type Spoiled = Readonly<Record<string, ReadonlySet<string>>>

type Store = ReadonlyMap<string, Known>
type Json = Record<string, unknown>

interface Scope {
  readonly store: Store
  readonly variables: Readonly<Record<string, Naive>>
}

const bool = (v: boolean): Naive => ({ t: 'bool', v })

function nameOf(json: unknown): string {
  const { __entity: inner = json } = json as { __entity?: unknown }
  const { type, id } = inner as { type: string; id: string }
  return JSON.stringify([type, id])
}

/** A value as entities, contexts and literals hold it. */
function read(json: unknown): Naive {
  if (typeof json === 'boolean') return bool(json)
  if (typeof json === 'string') return { t: 'string', v: json }
  if (typeof json === 'number') return { t: 'long', v: BigInt(json) }
  if (Array.isArray(json)) return { t: 'set', v: json.map(read) }
  const object = json as Json
  if ('__entity' in object) return { t: 'entity', v: nameOf(object) }
  if ('__extn' in object) {
    const { fn, arg } = object['__extn'] as { fn: string; arg: unknown }
    return callFunction(fn, [read(arg)])
  }
  return { t: 'record', v: new Map(Object.entries(object).map(([name, value]) => [name, read(value)])) }
}

function same(one: Naive, other: Naive): boolean {
  if (one.t === 'set' && other.t === 'set') {
    return one.v.every((a) => other.v.some((b) => same(a, b))) && other.v.every((a) => one.v.some((b) => same(a, b)))
  }
  if (one.t === 'record' && other.t === 'record') {
    const shares = [...one.v].every(([name, value]) => {
      const match = other.v.get(name)
      return match !== undefined && same(value, match)
    })
    return shares && one.v.size === other.v.size
  }
  if (one.t === 'ip' && other.t === 'ip') return JSON.stringify(one.v) === JSON.stringify(other.v)
  return one.t === other.t && one.v === other.v
}

function belongs(store: Store, member: string, group: string, seen = new Set<string>()): boolean {
  if (member === group) return true
  if (seen.has(member)) return false
  seen.add(member)
  return (store.get(member)?.parents ?? []).some((parent) => belongs(store, parent, group, seen))
}

function isIn({ store }: Scope, member: Naive, group: Naive): boolean {
  const from = take('entity', member)
  if (group.t !== 'set') return belongs(store, from, take('entity', group))
  return group.v.map((one) => take('entity', one)).some((one) => belongs(store, from, one))
}

function isType(value: Naive, type: unknown): boolean {
  return (JSON.parse(take('entity', value)) as [string, string])[0] === type
}

function find({ store }: Scope, holder: Naive, name: string): Naive | undefined {
  if (holder.t === 'record') return holder.v.get(name)
  return store.get(take('entity', holder))?.attrs.get(name)
}

function has(scope: Scope, holder: Naive, [name, ...more]: readonly string[]): boolean {
  const found = find(scope, holder, name ?? '')
  return found !== undefined && (more.length === 0 || has(scope, found, more))
}

function there(value: Naive | undefined): Naive {
  if (value === undefined) throw new Wrong('missing')
  return value
}

function compare(left: Naive, right: Naive): bigint {
  if (left.t !== right.t || (left.t !== 'long' && left.t !== 'datetime' && left.t !== 'duration'))
    throw new Wrong('types')
  return left.v - (right.v as bigint)
}

function matches(text: readonly string[], pattern: readonly unknown[]): boolean {
  // SPEC: each row says which beginnings of the text the pattern so far matches.
  let row = text.concat('').map((_, index) => index === 0)
  for (const element of pattern) {
    const before = row
    row = before.map(() => false)
    for (const [index] of before.entries()) {
      if (element === 'Wildcard') row[index] = before[index] === true || (index > 0 && row[index - 1] === true)
      else
        row[index] =
          index > 0 && before[index - 1] === true && text[index - 1] === (element as { Literal: string }).Literal
    }
  }
  return row.at(-1) === true
}

function tagOf(store: Store, holder: Naive, key: Naive): Naive | undefined {
  const [known, name] = [store.get(take('entity', holder)), take('string', key)]
  if (known?.spoiled.has(name) === true) throw new Wrong('spoiled')
  return known?.tags.get(name)
}

type Operator = (scope: Scope, given: Json) => Naive

const value = (scope: Scope, expression: unknown): Naive => evaluate(scope, expression)
const truth = (scope: Scope, expression: unknown): boolean => take('bool', evaluate(scope, expression))

function both(reckon: (left: Naive, right: Naive, scope: Scope) => Naive): Operator {
  return (scope, { left, right }) => {
    const first = value(scope, left)
    return reckon(first, value(scope, right), scope)
  }
}

const long = (v: bigint): Naive => ({ t: 'long', v: in64(v) })
const sets = (left: Naive, right: Naive) => [take('set', left), take('set', right)] as const
const includes = (set: readonly Naive[], one: Naive) => set.some((member) => same(member, one))

const operators: Readonly<Record<string, Operator>> = {
  '!': (scope, { arg }) => bool(!truth(scope, arg)),
  '&&': (scope, { left, right }) => bool(truth(scope, left) && truth(scope, right)),
  '||': (scope, { left, right }) => bool(truth(scope, left) || truth(scope, right)),
  'if-then-else': (scope, given) => value(scope, truth(scope, given['if']) ? given['then'] : given['else']),
  '==': both((left, right) => bool(same(left, right))),
  '!=': both((left, right) => bool(!same(left, right))),
  '<': both((left, right) => bool(compare(left, right) < 0n)),
  '<=': both((left, right) => bool(compare(left, right) <= 0n)),
  '>': both((left, right) => bool(compare(left, right) > 0n)),
  '>=': both((left, right) => bool(compare(left, right) >= 0n)),
  '+': both((left, right) => long(take('long', left) + take('long', right))),
  '-': both((left, right) => long(take('long', left) - take('long', right))),
  '*': both((left, right) => long(take('long', left) * take('long', right))),
  neg: (scope, { arg }) => long(-take('long', value(scope, arg))),
  contains: both((left, right) => bool(includes(take('set', left), right))),
  containsAll: both((left, right) => {
    const [wide, narrow] = sets(left, right)
    return bool(narrow.every((one) => includes(wide, one)))
  }),
  containsAny: both((left, right) => {
    const [wide, narrow] = sets(left, right)
    return bool(narrow.some((one) => includes(wide, one)))
  }),
  isEmpty: (scope, { arg }) => bool(take('set', value(scope, arg)).length === 0),
  in: both((left, right, scope) => bool(isIn(scope, left, right))),
  is: (scope, { left, entity_type: type, in: group }) => {
    const member = value(scope, left)
    if (!isType(member, type)) return bool(false)
    return bool(group === undefined || group === null || isIn(scope, member, value(scope, group)))
  },
  like: (scope, { left, pattern }) => bool(matches([...take('string', value(scope, left))], pattern as unknown[])),
  has: (scope, { left, attr }) => bool(has(scope, value(scope, left), [attr].flat() as string[])),
  '.': (scope, { left, attr }) => there(find(scope, value(scope, left), attr as string)),
  hasTag: both((left, right, { store }) => bool(tagOf(store, left, right) !== undefined)),
  getTag: both((left, right, { store }) => there(tagOf(store, left, right))),
}

function evaluate(scope: Scope, expression: unknown): Naive {
  const [[name, given] = ['', undefined] as const] = Object.entries(expression as Json)
  if (name === 'Value') return read(given)
  if (name === 'Var') return there(scope.variables[given as string])
  if (name === 'Set') return { t: 'set', v: (given as unknown[]).map((one) => value(scope, one)) }
  if (name === 'Record') {
    const members = Object.entries(given as Json).map(([member, one]) => [member, value(scope, one)] as const)
    return { t: 'record', v: new Map(members) }
  }
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  if (operator !== undefined) return operator(scope, given as Json)
  return callFunction(
    name,
    (given as unknown[]).map((one) => value(scope, one)),
  )
}

function fits(scope: Scope, asked: Naive, constraint: unknown): boolean {
  const { op, entity, entities, entity_type: type, in: group } = constraint as Json
  const named = (json: unknown): Naive => ({ t: 'entity', v: nameOf(json) })
  if (op === 'All') return true
  if (op === '==') return same(asked, named(entity))
  if (op === 'is')
    return isType(asked, type) && (group === undefined || isIn(scope, asked, named((group as Json)['entity'])))
  return ((entities ?? [entity]) as unknown[]).some((one) => isIn(scope, asked, named(one)))
}

function holds(scope: Scope, json: JsonWorld['policies'][number]['json']): boolean {
  for (const variable of ['principal', 'action', 'resource'] as const) {
    if (!fits(scope, there(scope.variables[variable]), json[variable])) return false
  }
  return json.conditions.every(({ kind, body }) => truth(scope, body) === (kind === 'when'))
}

function storeOf({ entities }: Pick<JsonWorld, 'entities'>, spoiled: Spoiled): Store {
  const members = (json: Json = {}) => new Map(Object.entries(json).map(([name, one]) => [name, read(one)]))
  return new Map(
    entities.map(({ uid, attrs, tags, parents }) => [
      nameOf(uid),
      {
        attrs: members(attrs),
        tags: members(tags),
        spoiled: spoiled[nameOf(uid)] ?? new Set(),
        parents: parents.map(nameOf),
      },
    ]),
  )
}

/** What Cedar's specification says to each request of a world. */
export function askNaively(
  world: Pick<JsonWorld, 'policies' | 'entities'>,
  spoiled: Spoiled = {},
): (request: JsonRequest) => Said {
  const store = storeOf(world, spoiled)
  return ({ principal, action, resource, context }) => {
    const entity = (json: unknown): Naive => ({ t: 'entity', v: nameOf(json) })
    const variables = {
      principal: entity(principal),
      action: entity(action),
      resource: entity(resource),
      context: read(context),
    }
    const found = { permit: [] as string[], forbid: [] as string[], erring: [] as string[] }
    for (const { id, json } of world.policies) {
      try {
        if (holds({ store, variables }, json)) found[json.effect].push(id)
      } catch (error) {
        if (!(error instanceof Wrong)) throw error
        found.erring.push(id)
      }
    }
    const isAllowed = found.forbid.length === 0 && found.permit.length > 0
    const deciding = isAllowed ? found.permit : found.forbid
    return { isAllowed, deciding: deciding.toSorted(), erring: found.erring.toSorted() }
  }
}
