/**
 * What does the official Cedar engine say?
 * Stops: questions that do not fit the schema; any error counted as yes.
 * Trusts: the engine, and nothing but what is in the question: no clock, no attribute that is not told.
 * Fails: every failure or diagnostic is a `problem`, and a problem is never allowed.
 * @see https://www.npmjs.com/package/@cedar-policy/cedar-wasm
 */
import type {
  AuthorizationAnswer,
  CedarValueJson,
  EntityJson,
  PolicySet,
  StatefulAuthorizationCall,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs'
import { Fault } from '#kernel'
import { allArguments, argumentKinds } from '../arguments.ts'
import type { Question } from '../question.ts'
import type { Surroundings } from '../settings.ts'
import { askOfficial, type Official, gaveUp } from './official.ts'
import { quote } from './quote.ts'
import { cedarSchema, namespace } from './schema.ts'
import type { CompiledRule } from './source.ts'

const schemaName = 'castellan'

export interface Verdict {
  readonly isAllowed: boolean
  /** Ids of the rules that allowed it, or forbade it; empty where none says anything. */
  readonly rules: readonly string[]
  /** Ids of the rules that the engine could not reckon; empty also where the whole question was refused. */
  readonly erring: readonly string[]
  /** Why the engine could not judge; then it is not allowed. */
  readonly problem?: string
}

/** Puts a question to one set of rules. What `officialCall` was not told counts as empty, an address as `0.0.0.0`. */
export type Ask = (call: OfficialCall) => Verdict

function entity(type: string, id: string): TypeAndId {
  return { type: `${namespace}::${type}`, id }
}

const asked = 'asked'
const argumentTypes = { texts: 'Texts', numbers: 'Numbers', flags: 'Flags', lists: 'Lists' } as const

function extension(fn: string, arg: string): CedarValueJson {
  return { __extn: { fn, arg } }
}

function textsIn(set: Iterable<unknown>): string[] {
  return [...set].map(String)
}

function contextOf(question: Question, surroundings: Surroundings, met: ReadonlySet<string>) {
  const { principal, circumstances, at } = question
  const { address = '0.0.0.0', consents = [], flow = [] } = circumstances
  const { id = '', name = '', isSelfRegistered = false } = principal.client ?? {}
  const zones = surroundings.zonesOf(address)
  const time = surroundings.timeAt(at)
  const age =
    principal.factorsAt === undefined ? undefined : Math.max(0, Math.floor((at - principal.factorsAt) / 1_000))
  const references = argumentKinds.map((kind) => [kind, { __entity: entity(argumentTypes[kind], asked) }] as const)
  return {
    address: extension('ip', address),
    zones: textsIn(circumstances.address === undefined ? [] : zones.values()),
    time: Object.fromEntries([...time.names()].map((member) => [member, time.get(member) as CedarValueJson])),
    at: extension('datetime', new Date(Math.trunc(at)).toISOString()),
    factors: [...principal.factors],
    ...(age === undefined ? {} : { factorAgeSeconds: age }),
    client: { id, name, isSelfRegistered },
    actors: (principal.actors ?? []).map((actor) => actor.id),
    consents: textsIn(consents),
    flow: textsIn(flow),
    met: [...met],
    ...Object.fromEntries(references),
  }
}

function entitiesOf(question: Question, uid: TypeAndId): EntityJson[] {
  const { principal, thing, upstream, name, classification } = question
  const { sensitivity, dataClasses, owner, bringsUntrusted, isOutlet } = classification
  const labels = { sensitivity, dataClasses: [...dataClasses], owner, bringsUntrusted, isOutlet }
  const parents = [
    ...principal.roles.map((role) => entity('Role', role)),
    ...(principal.groups ?? []).map((group) => entity('Group', group)),
  ]
  const claims = Object.entries(principal.claims ?? {}).map(([key, values]): [string, CedarValueJson] => [
    key,
    [...values],
  ])
  const tags = allArguments(question.callArguments)
  return [
    { uid, attrs: { id: principal.id, name: principal.name }, parents, tags: Object.fromEntries(claims) },
    { uid: entity(thing, asked), attrs: { upstream, name, ...labels }, parents: [] },
    ...argumentKinds.map((kind) => ({
      uid: entity(argumentTypes[kind], asked),
      attrs: {},
      parents: [],
      tags: tags[kind],
    })),
    ...new Map(
      parents.map((parent) => [`${parent.type} ${parent.id}`, { uid: parent, attrs: {}, parents: [] }]),
    ).values(),
  ]
}

/** A question as the engine takes it, plain throughout. */
export type OfficialCall = Pick<StatefulAuthorizationCall, 'principal' | 'action' | 'resource' | 'context' | 'entities'>

/** A rule as the engine takes it. */
export interface OfficialRule {
  readonly id: string
  readonly text: string
}

/** WHY: its text and not its JSON form, of which the engine does not read what is nested deeply. */
export function officialRule({ id, text, remedy }: Pick<CompiledRule, 'id' | 'text' | 'remedy'>): OfficialRule {
  if (remedy === undefined) return { id, text }
  const lifted = `unless { context.met.contains(${quote(remedy.rule)}) };`
  return { id, text: `${text.replace(/;\s*$/u, '')}\n${lifted}` }
}

/** How a question is put to the engine. */
export function officialCall(question: Question, surroundings: Surroundings, met: ReadonlySet<string>): OfficialCall {
  const { principal, action, thing } = question
  const uid = entity(principal.isService === true ? 'ServiceAccount' : 'Person', principal.id)
  return {
    principal: uid,
    action: entity('Action', action),
    resource: entity(thing, asked),
    context: contextOf(question, surroundings, met),
    entities: entitiesOf(question, uid),
  }
}

function refused(problem: string, erring: readonly string[] = []): Verdict {
  return { isAllowed: false, rules: [], erring, problem }
}

function readAnswer(answer: AuthorizationAnswer | undefined): Verdict {
  if (answer === undefined) return refused(gaveUp)
  if (answer.type === 'failure') return refused(answer.errors[0]?.message ?? 'failure')
  const { decision, diagnostics } = answer.response
  const [error] = diagnostics.errors
  if (error !== undefined) {
    return refused(error.error.message, diagnostics.errors.map(({ policyId }) => policyId).toSorted())
  }
  // INVARIANT: nothing is allowed without a rule that allowed it.
  const isAllowed = decision === 'allow' && diagnostics.reason.length > 0
  return { isAllowed, rules: diagnostics.reason.toSorted(), erring: [] }
}

/**
 * Makes `prepare`, which gives rules to the engine once and answers with what asks them. The engine keeps the last two
 * sets: what was answered is good until `prepare` was called twice more.
 * @throws Fault `policy.unreadable`, from `prepare`, when the engine does not read the schema or the rules
 */
export function createJudge(): (rules: readonly OfficialRule[]) => Ask {
  const knowSchema = new WeakSet<Official>()
  let [next, other]: [string, string] = [crypto.randomUUID(), crypto.randomUUID()]

  function put(engine: Official, setId: string, policies: PolicySet): boolean {
    if (!knowSchema.has(engine) && engine.preparseSchema(schemaName, cedarSchema).type === 'failure') return false
    knowSchema.add(engine)
    return engine.preparsePolicySet(setId, policies).type === 'success'
  }

  return function prepare(rules) {
    const setId = next
    const policies = { staticPolicies: Object.fromEntries(rules.map(({ id, text }) => [id, text])) }
    let ready: Official | undefined
    const isReadable = askOfficial((engine) => ({ is: put(engine, setId, policies), engine }))
    if (isReadable?.is !== true) throw new Fault('policy.unreadable', 'cedar does not read the schema or the rules')
    ready = isReadable.engine
    next = other
    other = setId
    return (call) => {
      const known = { preparsedPolicySetId: setId, preparsedSchemaName: schemaName, validateRequest: true }
      const answer = askOfficial((engine) => {
        // WHY: another text may have made the engine give up meanwhile.
        if (engine !== ready && put(engine, setId, policies)) ready = engine
        return engine.statefulIsAuthorized({ ...call, ...known })
      })
      return readAnswer(answer)
    }
  }
}
