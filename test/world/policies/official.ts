import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import type { JsonRequest, JsonWorld } from './json-world.ts'

/** What an evaluator says of one request: all ids sorted. */
export interface Said {
  readonly isAllowed: boolean
  /** The rules that hold and decided, as Cedar tells them: errors are passed over. */
  readonly deciding: readonly string[]
  readonly erring: readonly string[]
}

/** The official engine's answers; `name` is that of the set of rules that the engine keeps. */
export function askOfficially(world: JsonWorld, name = 'world'): (request: JsonRequest) => Said {
  const staticPolicies = Object.fromEntries(world.policies.map(({ id, json }) => [id, json]))
  const answer = preparsePolicySet(name, { staticPolicies })
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
  const entities = [...world.entities]
  return (request) => {
    const call = { ...request, preparsedPolicySetId: name, validateRequest: false, entities }
    const said = statefulIsAuthorized(call)
    if (said.type === 'failure') throw new Error(said.errors.map(({ message }) => message).join('; '))
    const { decision, diagnostics } = said.response
    return {
      isAllowed: decision === 'allow',
      deciding: diagnostics.reason.toSorted(),
      erring: diagnostics.errors.map(({ policyId }) => policyId).toSorted(),
    }
  }
}
