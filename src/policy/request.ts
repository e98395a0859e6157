/**
 * How is a question put to rules: which entities, which context?
 * Stops: anything being worked out that no rule reads; two rules that see one question differently.
 * Trusts: `readQuestion`, for everything that came from outside.
 * Fails: what was not told is unknown, and what cannot be reckoned is wrong; both deny.
 * @see docs/policy-language.md
 */
import type { Principal } from '#kernel'
import { type ArgumentKind, argumentKinds, argumentOf } from './arguments.ts'
import { namespace } from './cedar/schema.ts'
import { parseIp } from './evaluate/ip.ts'
import {
  type CedarRecord,
  type CedarRequest,
  type Entity,
  type EntityUid,
  recordOf,
  type Result,
  textSet,
  uid,
  unknown,
} from './evaluate/values.ts'
import { requestActions } from './permissions.ts'
import type { Question } from './question.ts'
import type { Surroundings } from './settings.ts'

const typed = (type: string): string => `${namespace}::${type}`

/** INVARIANT: things are told apart by their attributes: there is one name for all of a kind. */
export const askedId = 'asked'

const thingUids = new Map(
  ['AdminPlane', 'Server', 'Tool', 'Resource', 'Prompt'].map((thing) => [thing, uid(typed(thing), askedId)] as const),
)
const actionUids = new Map(requestActions.map(({ name }) => [name, uid(typed('Action'), name)] as const))
const actionEntities = new Map<string, Entity>(
  requestActions.map(({ name, groups }) => [
    name,
    {
      ancestors: groups.map((group) => uid(typed('Action'), group)),
      attribute: () => undefined,
      tag: () => undefined,
    },
  ]),
)
const argumentTypes = { texts: 'Texts', numbers: 'Numbers', flags: 'Flags', lists: 'Lists' } as const
const argumentUids = new Map<string, EntityUid>(
  argumentKinds.map((kind) => [kind, uid(typed(argumentTypes[kind]), askedId)]),
)
const argumentKindOf = new Map(argumentKinds.map((kind) => [typed(argumentTypes[kind]), kind] as const))

interface Standing {
  readonly uid: EntityUid
  readonly entity: Entity
  readonly factors: Result
  readonly actors: Result
  readonly client: CedarRecord
}

function clientOf({ client }: Principal): CedarRecord {
  const { id = '', name = '', isSelfRegistered = false } = client ?? {}
  return recordOf(
    new Map<string, string | boolean>([
      ['id', id],
      ['name', name],
      ['isSelfRegistered', isSelfRegistered],
    ]),
  )
}

function standingOf(principal: Principal): Standing {
  const { id, name, roles, groups = [], claims = {}, isService, factors, actors = [] } = principal
  const tags = new Map(Object.entries(claims).map(([key, values]) => [key, textSet(new Set(values))] as const))
  const attributes = new Map([
    ['id', id],
    ['name', name],
  ])
  return {
    uid: uid(typed(isService === true ? 'ServiceAccount' : 'Person'), id),
    entity: {
      attribute: (member) => attributes.get(member),
      tag: (key) => tags.get(key),
      ancestors: [
        ...[...new Set(roles)].map((role) => uid(typed('Role'), role)),
        ...[...new Set(groups)].map((group) => uid(typed('Group'), group)),
      ],
    },
    factors: textSet(new Set(factors)),
    actors: textSet(new Set(actors.map((actor) => actor.id))),
    client: clientOf(principal),
  }
}

/** WHY: a principal is asked about again and again, and never changes. */
const standings = new WeakMap<Principal, Standing>()

/** What is known of the principal, made once for each. */
function standing(principal: Principal): Standing {
  const known = standings.get(principal)
  if (known !== undefined) return known
  const made = standingOf(principal)
  standings.set(principal, made)
  return made
}

const contextNames = [
  'address',
  'zones',
  'time',
  'at',
  'factors',
  'factorAgeSeconds',
  'client',
  'actors',
  'consents',
  'flow',
  'met',
  ...argumentKinds,
]

function setOf(told: ReadonlySet<string> | undefined): Result {
  return told === undefined ? unknown : textSet(told)
}

function ageOf({ principal, at }: Question): number | undefined {
  const { factorsAt } = principal
  return factorsAt === undefined ? undefined : Math.max(0, Math.floor((at - factorsAt) / 1_000))
}

/** What every question of one snapshot is put with. */
export interface Ground {
  readonly surroundings: Surroundings
  /** Ids of all rules that have a remedy. */
  readonly remedied: ReadonlySet<string>
}

const noneMet: ReadonlySet<string> = new Set()

function metOf({ circumstances: { met } }: Question, { remedied }: Ground): ReadonlySet<string> {
  return met === 'all' ? remedied : (met ?? noneMet)
}

function contextOf(question: Question, ground: Ground): CedarRecord {
  const { circumstances, principal } = question
  const { address } = circumstances
  const get = (name: string): Result | undefined => {
    switch (name) {
      case 'address':
        return address === undefined ? unknown : parseIp(address)
      case 'zones':
        return address === undefined ? unknown : ground.surroundings.zonesOf(address)
      case 'time':
        return ground.surroundings.timeAt(question.at)
      case 'at':
        return { kind: 'datetime', ms: BigInt(Math.trunc(question.at)) }
      case 'factors':
        return standing(principal).factors
      case 'factorAgeSeconds':
        return ageOf(question)
      case 'client':
        return standing(principal).client
      case 'actors':
        return standing(principal).actors
      case 'consents':
        return setOf(circumstances.consents)
      case 'flow':
        return setOf(circumstances.flow)
      case 'met':
        return textSet(metOf(question, ground))
      default:
        return argumentUids.get(name)
    }
  }
  return {
    kind: 'record',
    get,
    names: () => contextNames.filter((name) => name !== 'factorAgeSeconds' || get(name) !== undefined),
  }
}

function thingOf({ upstream, name, classification }: Question): Entity {
  return {
    ancestors: [],
    tag: () => undefined,
    attribute(member) {
      if (member === 'upstream') return upstream
      if (member === 'name') return name
      if (member === 'dataClasses') return textSet(new Set(classification.dataClasses))
      if (member === 'sensitivity' || member === 'owner') return classification[member]
      return member === 'bringsUntrusted' || member === 'isOutlet' ? classification[member] : undefined
    },
  }
}

const nothing = () => undefined

/** One kind of a call's arguments. WHY: whether an argument is there and what it is are asked one after the other. */
function argumentsOf({ callArguments }: Question, kind: ArgumentKind): Entity {
  let lastKey: string | undefined
  let last: Result | undefined
  return {
    ancestors: [],
    attribute: nothing,
    tag(key) {
      if (key === lastKey) return last
      last = argumentOf(callArguments, kind, key)
      lastKey = key
      return last
    },
  }
}

/** The request of a question. Nothing is read before a rule reads it. */
export function requestOf(question: Question, ground: Ground): CedarRequest {
  const { uid: principal, entity } = standing(question.principal)
  const resource = thingUids.get(question.thing)
  const action = actionUids.get(question.action)
  if (resource === undefined || action === undefined) throw new Error('a question about nothing')
  let thing: Entity | undefined
  let given: Map<ArgumentKind, Entity> | undefined
  return {
    principal,
    action,
    resource,
    context: contextOf(question, ground),
    entity({ type, id }) {
      if (type === principal.type && id === principal.id) return entity
      if (type === resource.type && id === askedId) return (thing ??= thingOf(question))
      if (type === action.type) return actionEntities.get(id)
      const kind = argumentKindOf.get(type)
      if (kind === undefined || id !== askedId) return undefined
      given ??= new Map()
      const known = given.get(kind)
      if (known !== undefined) return known
      const made = argumentsOf(question, kind)
      given.set(kind, made)
      return made
    },
  }
}
