import { readUid, readValue } from '../../../src/policy/evaluate/literals.ts'
import {
  type CedarRequest,
  type Entity,
  type EntityUid,
  recordOf,
  type Result,
} from '../../../src/policy/evaluate/values.ts'
import type { CedarValueJson, JsonRequest, JsonWorld } from './json-world.ts'

function valuesOf(json: Record<string, CedarValueJson> = {}): Map<string, Result> {
  return new Map(Object.entries(json).map(([name, value]) => [name, readValue(value)]))
}

function nameOf({ type, id }: { type: string; id: string }): string {
  return JSON.stringify([type, id])
}

function ancestorsIn(parents: ReadonlyMap<string, readonly EntityUid[]>, start: string): EntityUid[] {
  const found = new Map<string, EntityUid>()
  const waiting = [...(parents.get(start) ?? [])]
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (found.has(nameOf(one))) continue
    found.set(nameOf(one), one)
    waiting.push(...(parents.get(nameOf(one)) ?? []))
  }
  return [...found.values()]
}

/** How rules are asked about a world; `tagOf` may tell something else than what the world says of a tag. */
export function createAsking(
  { entities }: Pick<JsonWorld, 'entities'>,
  tagOf: (type: string, key: string, told: Result | undefined) => Result | undefined = (_type, _key, told) => told,
): (request: JsonRequest) => CedarRequest {
  const parents = new Map(entities.map((one) => [nameOf(readUid(one.uid)), one.parents.map(readUid)]))
  const known = new Map(
    entities.map((one): [string, Entity] => {
      const { type, id } = readUid(one.uid)
      const [attributes, tags] = [valuesOf(one.attrs), valuesOf(one.tags)]
      const entity: Entity = {
        attribute: (name) => attributes.get(name),
        tag: (key) => tagOf(type, key, tags.get(key)),
        ancestors: ancestorsIn(parents, nameOf({ type, id })),
      }
      return [nameOf({ type, id }), entity]
    }),
  )
  return ({ principal, action, resource, context }) => ({
    principal: readUid(principal),
    action: readUid(action),
    resource: readUid(resource),
    context: recordOf(valuesOf(context)),
    entity: (uid) => known.get(nameOf(uid)),
  })
}
