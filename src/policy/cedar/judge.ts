/**
 * What does the Cedar engine say?
 * Stops: policies that do not fit the schema (strict validation); questions that do not fit it; any error counted as yes.
 * Trusts: the official engine, and nothing but what is in the question: no attribute of the person, no clock.
 * Fails: every failure or diagnostic is a `problem`, and a problem is never allowed.
 * @see https://www.npmjs.com/package/@cedar-policy/cedar-wasm
 */
import { preparsePolicySet, preparseSchema, statefulIsAuthorized, validate } from '@cedar-policy/cedar-wasm/nodejs'
import { Fault } from '#kernel'
import type { ThingKind } from '../permissions.ts'
import type { CompiledPolicy } from './compile.ts'
import { cedarSchema, namespace } from './schema.ts'

const schemaName = 'castellan'

export interface Question {
  readonly roles: readonly string[]
  readonly permission: string
  readonly thing: ThingKind
  /** `upstream` for a server; `upstream` and `name` for what it offers; none for the admin plane. */
  readonly attributes: Readonly<Record<string, string>>
  /** Whether a fresh factor was proved for this one call; undefined where that is never asked for. */
  readonly stepUp: boolean | undefined
}

export interface Verdict {
  readonly isAllowed: boolean
  /** Ids of the policies that allowed it, or forbade it; empty where none says anything. */
  readonly policyIds: readonly string[]
  /** Why the engine could not judge; then it is not allowed. */
  readonly problem?: string
}

/** Puts a question to one set of policies. */
export type Ask = (question: Question) => Verdict

function staticPolicies(policies: readonly CompiledPolicy[]): Record<string, string> {
  // WHY: one text per id: a text that held a second policy would not parse.
  return Object.fromEntries(policies.map((policy) => [policy.id, policy.text]))
}

/** What the engine finds wrong with the policies in strict mode; empty when they are valid. */
export function findProblems(policies: readonly CompiledPolicy[]): string[] {
  const answer = validate({
    validationSettings: { mode: 'strict' },
    schema: cedarSchema,
    policies: { staticPolicies: staticPolicies(policies) },
  })
  if (answer.type === 'failure') return answer.errors.map((error) => error.message)
  return answer.validationErrors.map(({ policyId, error }) => `${policyId}: ${error.message}`)
}

function entity(type: string, id: string) {
  return { type: `${namespace}::${type}`, id }
}

function judge(setId: string, { roles, permission, thing, attributes, stepUp }: Question): Verdict {
  const principal = entity('Person', 'asking')
  const resource = entity(thing, 'asked')
  const parents = roles.map((role) => entity('Role', role))
  const answer = statefulIsAuthorized({
    principal,
    action: entity('Action', permission),
    resource,
    context: stepUp === undefined ? {} : { stepUp },
    preparsedPolicySetId: setId,
    preparsedSchemaName: schemaName,
    validateRequest: true,
    entities: [
      { uid: principal, attrs: {}, parents },
      { uid: resource, attrs: { ...attributes }, parents: [] },
      ...parents.map((uid) => ({ uid, attrs: {}, parents: [] })),
    ],
  })
  if (answer.type === 'failure') {
    return { isAllowed: false, policyIds: [], problem: answer.errors[0]?.message ?? 'failure' }
  }
  const { decision, diagnostics } = answer.response
  const [error] = diagnostics.errors
  if (error !== undefined) return { isAllowed: false, policyIds: [], problem: error.error.message }
  // INVARIANT: nothing is allowed without a policy that allowed it.
  const isAllowed = decision === 'allow' && diagnostics.reason.length > 0
  return { isAllowed, policyIds: diagnostics.reason.toSorted() }
}

/**
 * Makes `prepare`, which parses policies once and answers with what asks them. The engine keeps the last two sets: an
 * `Ask` is good until `prepare` was called twice more.
 * @throws Fault `policy.unreadable` when the engine does not read the schema or, from `prepare`, the policies
 */
export function createJudge(): (policies: readonly CompiledPolicy[]) => Ask {
  const schema = preparseSchema(schemaName, cedarSchema)
  if (schema.type === 'failure') throw new Fault('policy.unreadable', 'cedar does not read the schema')
  let [next, other]: [string, string] = [crypto.randomUUID(), crypto.randomUUID()]
  return function prepare(policies) {
    const setId = next
    const answer = preparsePolicySet(setId, { staticPolicies: staticPolicies(policies) })
    if (answer.type === 'failure') throw new Fault('policy.unreadable', 'cedar does not read the policies')
    next = other
    other = setId
    return (question) => judge(setId, question)
  }
}
