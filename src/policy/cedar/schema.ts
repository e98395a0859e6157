/**
 * What can a policy talk about?
 * Stops: a policy or a question outside of the model; Cedar's strict validation refuses both.
 * Trusts: the list of permissions.
 * Fails: a schema that Cedar does not read stops start-up.
 * @see docs/policy-language.md
 */
import { effectClasses } from '#kernel'
import { requestActions } from '../permissions.ts'

/** The Cedar namespace of every entity and action. */
export const namespace = 'Castellan'

const things = `{
    "upstream": String,
    "name": String,
    "sensitivity": String,
    "dataClasses": Set<String>,
    "owner": String,
    "bringsUntrusted": Bool,
    "isOutlet": Bool
  }`

const circumstances = `{
    "address": ipaddr,
    "zones": Set<String>,
    "time": { "date": String, "weekday": String, "hour": Long, "minute": Long },
    "at": datetime,
    "factors": Set<String>,
    "factorAgeSeconds"?: Long,
    "client": { "id": String, "name": String, "isSelfRegistered": Bool },
    "actors": Set<String>,
    "consents": Set<String>,
    "flow": Set<String>,
    "met": Set<String>,
    "texts": Texts,
    "numbers": Numbers,
    "flags": Flags,
    "lists": Lists
  }`

const groups = [...effectClasses, 'tools:call'].map((name) => `"${name}"`).join(', ')

const actions = requestActions.map(({ name, thing, groups: parents }) => {
  const parentNames = parents.map((parent) => `"${parent}"`).join(', ')
  return `  action "${name}" in [${parentNames}] appliesTo { principal: [Person, ServiceAccount], resource: ${thing}, context: Circumstances };`
})

/** The Cedar schema: things are known by their attributes, never by an id that would have to be put together. */
export const cedarSchema = `namespace ${namespace} {
  entity Role;
  entity Group;
  entity Person, ServiceAccount in [Role, Group] = { "id": String, "name": String } tags Set<String>;
  entity AdminPlane, Server, Tool, Resource, Prompt = ${things};
  entity Texts tags String;
  entity Numbers tags Long;
  entity Flags tags Bool;
  entity Lists tags Set<String>;
  type Circumstances = ${circumstances};
  action ${groups};
${actions.join('\n')}
}
`
