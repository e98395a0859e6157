/**
 * What can a policy talk about?
 * Stops: a policy or a question outside of the model; Cedar's strict validation refuses both.
 * Trusts: the list of permissions.
 * Fails: a schema that Cedar does not read stops start-up.
 */
import { canStepUp, permissions, thingOf } from '../permissions.ts'

/** The Cedar namespace of every entity and action. */
export const namespace = 'Castellan'

/** What a question can tell besides: whether a fresh factor was proved for this one call. */
function contextOf(permission: string): string {
  return canStepUp(permission) ? ', context: { stepUp: Bool }' : ''
}

const actions = permissions.map(
  (name) => `  action "${name}" appliesTo { principal: Person, resource: ${thingOf(name)}${contextOf(name)} };`,
)

/** The Cedar schema: things are known by their attributes, never by an id that would have to be put together. */
export const cedarSchema = `namespace ${namespace} {
  entity Role;
  entity Person in [Role];
  entity AdminPlane;
  entity Server = { upstream: String };
  entity Tool, Resource, Prompt = { upstream: String, name: String };
${actions.join('\n')}
}
`
