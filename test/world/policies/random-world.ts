import { createRandom, type Random } from '../../../tools/fuzz/random.ts'
import type { CedarValueJson, EntityJson, Expr, JsonRequest, JsonWorld, PolicyJson, TypeAndId } from './json-world.ts'
import { expression } from './random-expression.ts'
import { attributeNames, entityPool, randomValue, textPool } from './random-value.ts'

const uid = (type: string, id: string): TypeAndId => ({ type: `N::${type}`, id })
const upstreams = ['github', 'jira', 'files'] as const
const names = ['one', 'two', 'three', '*'] as const

function some<Item>(random: Random, list: readonly Item[], oneIn: number): Item[] {
  return list.filter(() => random.oneIn(oneIn))
}

/** Mostly what is expected of it, sometimes of another type, sometimes absent. */
function usual(random: Random, name: string, value: CedarValueJson): Record<string, CedarValueJson> {
  if (random.oneIn(25)) return {}
  return { [name]: random.oneIn(25) ? randomValue(random) : value }
}

function told(random: Random): Record<string, CedarValueJson> {
  return {
    ...usual(random, 'flag', random.oneIn(2)),
    ...usual(random, 'count', randomValue(random, 'long')),
    ...usual(random, 'large', 9_007_199_254_740_991),
    ...usual(random, 'word', random.pick(textPool)),
    ...usual(random, 'words', some(random, textPool, 4)),
    ...usual(random, 'things', randomValue(random, 'set')),
    ...usual(random, 'address', randomValue(random, 'ip')),
    ...usual(random, 'price', randomValue(random, 'decimal')),
    ...usual(random, 'at', randomValue(random, 'datetime')),
    ...usual(random, 'span', randomValue(random, 'duration')),
    ...usual(random, 'friend', { __entity: random.pick(entityPool) }),
    ...Object.fromEntries(some(random, attributeNames, 12).map((name) => [name, randomValue(random)])),
  }
}

function thing(random: Random, uidOfIt: TypeAndId): EntityJson {
  const attrs = {
    ...(random.oneIn(8) ? {} : { upstream: random.oneIn(15) ? randomValue(random) : random.pick(upstreams) }),
    ...(random.oneIn(8) ? {} : { name: random.oneIn(15) ? randomValue(random) : random.pick(names) }),
    ...(random.oneIn(12) ? told(random) : {}),
  }
  return { uid: uidOfIt, attrs, parents: [] }
}

function randomEntities(random: Random): EntityJson[] {
  const roles = ['r0', 'r1', 'r2', 'r3'].map((id) => uid('Role', id))
  const groups = ['g0', 'g1'].map((id) => uid('Group', id))
  const people = ['p0', 'p1', 'p2', 'p3'].map((id) => ({
    uid: uid('Person', id),
    attrs: id === 'p0' || id === 'p1' ? told(random) : {},
    parents: some(random, [...roles, ...groups], 3),
    ...(random.oneIn(2) ? { tags: Object.fromEntries(['to', 'x'].map((key) => [key, random.pick(textPool)])) } : {}),
  }))
  const nested = groups.map((group) => ({ uid: group, attrs: {}, parents: some(random, roles, 3) }))
  const actions: EntityJson[] = [
    {
      uid: uid('Action', 'call'),
      attrs: {},
      parents: some(random, [uid('Action', 'write'), uid('Action', 'admin')], 2),
    },
    { uid: uid('Action', 'read'), attrs: {}, parents: some(random, [uid('Action', 'admin')], 2) },
  ]
  const things = entityPool.filter(({ type }) => ['N::Tool', 'N::Server', 'N::Plane'].includes(type))
  const tags = (values: () => CedarValueJson) =>
    Object.fromEntries(some(random, ['to', 'n', 'x'], 2).map((key) => [key, values()]))
  return [
    ...people,
    ...nested,
    ...actions,
    ...things.map((one) => thing(random, one)),
    { uid: uid('Texts', 'asked'), attrs: {}, parents: [], tags: tags(() => random.pick(textPool)) },
    { uid: uid('Numbers', 'asked'), attrs: {}, parents: [], tags: tags(() => randomValue(random, 'long')) },
  ]
}

function randomRequest(random: Random): JsonRequest {
  const context: Record<string, CedarValueJson> = {
    ...told(random),
    time: { hour: random.below(24), minute: random.below(60) },
    texts: { __entity: uid('Texts', 'asked') },
    numbers: { __entity: uid('Numbers', 'asked') },
  }
  return {
    principal: uid('Person', random.pick(['p0', 'p1', 'p2', 'p3', 'nobody'])),
    action: uid('Action', random.pick(['call', 'call', 'read', 'admin', 'write'])),
    resource: random.pick(
      entityPool.filter(({ type }) => ['N::Tool', 'N::Tool', 'N::Server', 'N::Plane'].includes(type)),
    ),
    context,
  }
}

function principalHead(random: Random): PolicyJson['principal'] {
  const entity = uid('Role', random.pick(['r0', 'r1', 'r2', 'r3']))
  switch (random.below(6)) {
    case 0:
      return { op: 'All' }
    case 1:
      return { op: '==', entity: uid('Person', random.pick(['p0', 'p1', 'nobody'])) }
    case 2:
      return { op: 'is', entity_type: random.pick(['N::Person', 'N::Role']) }
    case 3:
      return { op: 'is', entity_type: 'N::Person', in: { entity } }
    default:
      return { op: 'in', entity }
  }
}

function actionHead(random: Random): PolicyJson['action'] {
  const entity = uid('Action', random.pick(['call', 'read', 'admin', 'write']))
  switch (random.below(4)) {
    case 0:
      return { op: 'All' }
    case 1:
      return { op: '==', entity }
    case 2:
      return { op: 'in', entity }
    default:
      return { op: 'in', entities: [entity, uid('Action', random.pick(['call', 'read']))] }
  }
}

function resourceHead(random: Random): PolicyJson['resource'] {
  switch (random.below(6)) {
    case 0:
      return { op: '==', entity: uid('Tool', random.pick(['t0', 't1'])) }
    case 1:
      return { op: 'is', entity_type: random.pick(['N::Tool', 'N::Server']) }
    case 2:
      return { op: 'in', entity: uid('Server', 's0') }
    default:
      return { op: 'All' }
  }
}

const resource: Expr = { Var: 'resource' }
const at = (attr: string): Expr => ({ '.': { left: resource, attr } })

function oneOf(random: Random, attr: string, values: readonly string[]): Expr {
  const right: Expr = { Value: random.pick(values) }
  switch (random.below(4)) {
    case 0:
      return { '==': { left: right, right: at(attr) } }
    case 1:
      return { contains: { left: { Set: some(random, values, 2).map((Value) => ({ Value })) }, right: at(attr) } }
    default:
      return { '==': { left: at(attr), right } }
  }
}

function joined(operator: '&&' | '||', parts: readonly Expr[]): Expr {
  return parts.reduce((left, right) => (operator === '&&' ? { '&&': { left, right } } : { '||': { left, right } }))
}

/** What grants of roles compile to, sometimes with something else before or behind. */
function pinned(random: Random): Expr {
  const alternative = (): Expr => {
    const parts: Expr[] = []
    if (!random.oneIn(3))
      parts.push({ is: { left: resource, entity_type: random.pick(['N::Tool', 'N::Server', 'N::Plane']) } })
    if (!random.oneIn(4)) parts.push(oneOf(random, 'upstream', upstreams))
    if (random.oneIn(2)) parts.push(oneOf(random, 'name', names))
    if (random.oneIn(8)) parts.reverse()
    if (random.oneIn(5)) parts.splice(random.below(parts.length + 1), 0, expression(random, 'bool', 2))
    return parts.length === 0 ? { Value: true } : joined('&&', parts)
  }
  const all = Array.from({ length: 1 + random.below(3) }, alternative)
  const any = joined('||', all)
  return random.oneIn(4) ? { '&&': { left: any, right: joined('||', [alternative(), alternative()]) } } : any
}

function randomPolicy(random: Random): PolicyJson {
  const conditions: PolicyJson['conditions'] = []
  const when = (body: Expr) => conditions.push({ kind: 'when', body })
  if (random.oneIn(2)) when(pinned(random))
  if (random.oneIn(2)) when(expression(random, 'bool', 1 + random.below(4)))
  if (random.oneIn(4)) conditions.push({ kind: 'unless', body: expression(random, 'bool', 1 + random.below(3)) })
  if (random.oneIn(8)) conditions.reverse()
  return {
    effect: random.oneIn(3) ? 'forbid' : 'permit',
    principal: principalHead(random),
    action: actionHead(random),
    resource: resourceHead(random),
    conditions,
  }
}

/** A source of choices: one seed, one run. */
export function choicesOf(seed: number): Random {
  return createRandom(seed)
}

/** A rule that can only permit. */
export function randomPermit(random: Random): PolicyJson {
  return { ...randomPolicy(random), effect: 'permit' }
}

/** The same rules and actions; other people, things, arguments and requests. */
export function otherWorld(random: Random, { policies, entities, requests }: JsonWorld): JsonWorld {
  const isAction = ({ uid: name }: EntityJson) => 'type' in name && name.type === 'N::Action'
  return {
    policies,
    entities: [...entities.filter(isAction), ...randomEntities(random).filter((one) => !isAction(one))],
    requests: requests.map(() => randomRequest(random)),
  }
}

/** A world of its own for each seed: rules of the whole language, entities, requests. */
export function randomWorld(random: Random, sizes: { mostPolicies: number; requests: number }): JsonWorld {
  const length = 1 + random.below(sizes.mostPolicies)
  return {
    policies: Array.from({ length }, (_, index) => ({ id: `rule${index}`, json: randomPolicy(random) })),
    entities: randomEntities(random),
    requests: Array.from({ length: sizes.requests }, () => randomRequest(random)),
  }
}
