/**
 * Whom can a rule be meant for, and what can it be about?
 * Stops: a rule that is left out of a report although it could bear on what was asked.
 * Trusts: the engine's JSON form; `findPins` for what a rule asks of its resource at its beginning.
 * Fails: what cannot be told from the rule is taken to fit.
 */
import type { CompiledRule } from '../cedar/source.ts'
import { namespace } from '../cedar/schema.ts'
import { findPins } from '../evaluate/pins.ts'
import { readConstraint } from '../evaluate/scope.ts'
import { comparable } from '../lint/covers.ts'
import { requestActions } from '../permissions.ts'

interface Place {
  readonly types?: ReadonlySet<string>
  readonly upstreams?: ReadonlySet<string>
  readonly names?: ReadonlySet<string>
}

/** What a rule can be about: one of its actions, on something at one of its places. */
export interface About {
  readonly actions: ReadonlySet<string>
  readonly places: readonly Place[]
}

/** A server as a whole with everything it offers, or one thing that it offers. */
export interface AskedThing {
  readonly upstream: string
  readonly kind?: 'tool' | 'resource' | 'prompt'
  readonly name?: string
}

/** Who has what a rule asks of its principal. */
export interface Holder {
  readonly id: string
  readonly kind: 'person' | 'service'
  readonly roles: readonly string[]
  readonly groups: readonly string[]
}

const typed = (name: string) => `${namespace}::${name}`
const typeOfKind = { tool: typed('Tool'), resource: typed('Resource'), prompt: typed('Prompt') } as const
const ownType = typed('AdminPlane')
const behindServers: readonly string[] = [typed('Server'), ...Object.values(typeOfKind)]
const typeOfHolder = { person: typed('Person'), service: typed('ServiceAccount') } as const

function both(
  one: ReadonlySet<string> | undefined,
  other: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return new Set([...one].filter((value) => other.has(value)))
}

function placesOf({ json }: Pick<CompiledRule, 'json'>): Place[] {
  const { is } = readConstraint(json.resource)
  const inHead = is === undefined ? undefined : new Set([is])
  const others = json.conditions.findIndex(({ kind }) => kind !== 'when')
  const first = others === -1 ? json.conditions : json.conditions.slice(0, others)
  return findPins(first.map(({ body }) => body)).map((pins) => {
    let place: { types?: ReadonlySet<string>; upstreams?: ReadonlySet<string>; names?: ReadonlySet<string> } =
      inHead === undefined ? {} : { types: inHead }
    for (const pin of pins) {
      const on = pin.on === 'type' ? 'types' : pin.on === 'upstream' ? 'upstreams' : 'names'
      const values = pin.on === 'type' ? new Set([pin.type]) : pin.values
      place = { ...place, [on]: both(place[on], values) }
    }
    return place
  })
}

export function aboutOf(rule: CompiledRule): About {
  return { actions: comparable(rule).actions, places: placesOf(rule) }
}

function fits(set: ReadonlySet<string> | undefined, value: string | undefined): boolean {
  return set === undefined || value === undefined || set.has(value)
}

/** Whether a rule can be about this server or anything of it, or about this one thing. */
export function mayBeAbout({ actions, places }: About, { upstream, kind, name }: AskedThing): boolean {
  const asked = kind === undefined ? behindServers : [typeOfKind[kind]]
  const types = typesOf(actions).filter((type) => asked.includes(type))
  return places.some(
    (place) =>
      types.some((type) => fits(place.types, type)) &&
      fits(place.upstreams, upstream) &&
      (kind === undefined || fits(place.names, name)),
  )
}

/** Whether a rule can be about castellan itself. */
export function mayBeAboutAdmin({ actions, places }: About): boolean {
  if (!typesOf(actions).includes(ownType)) return false
  return places.some(
    ({ types, upstreams, names }) => fits(types, ownType) && upstreams === undefined && names === undefined,
  )
}

function isApart(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return [...one].every((value) => !other.has(value))
}

function meet(one: ReadonlySet<string> | undefined, other: ReadonlySet<string> | undefined): boolean {
  return one === undefined || other === undefined || !isApart(one, other)
}

/** The types of what can be asked for by these actions. */
function typesOf(actions: ReadonlySet<string>): readonly string[] {
  return [...new Set(requestActions.flatMap(({ name, thing }) => (actions.has(name) ? [typed(thing)] : [])))]
}

/** Whether there can be one thing that both are about, asked for in one way. */
export function mayMeet(one: About, other: About): boolean {
  const types = typesOf(new Set([...one.actions].filter((name) => other.actions.has(name))))
  return one.places.some((place) =>
    other.places.some(
      (its) =>
        types.some((type) => fits(place.types, type) && fits(its.types, type)) &&
        meet(place.upstreams, its.upstreams) &&
        meet(place.names, its.names),
    ),
  )
}

/** Whether the head of a rule lets it be meant for this holder. */
export function mayBeFor({ json }: Pick<CompiledRule, 'json'>, { id, kind, roles, groups }: Holder): boolean {
  const { is, equals, within } = readConstraint(json.principal)
  const type = typeOfHolder[kind]
  if (is !== undefined && is !== type) return false
  if (equals !== undefined) return equals.type === type && equals.id === id
  if (within === undefined) return true
  return within.some(
    (group) =>
      (group.type === typed('Role') && roles.includes(group.id)) ||
      (group.type === typed('Group') && groups.includes(group.id)) ||
      (group.type === type && group.id === id),
  )
}

/** Whom the head of a rule names, in words: `everybody`, `role payer`, `group corp/finance`. */
export function sayFor({ json }: Pick<CompiledRule, 'json'>): string {
  const { is, equals, within } = readConstraint(json.principal)
  const word = (type: string) => type.slice(namespace.length + 2).toLowerCase()
  const named = within ?? (equals === undefined ? [] : [equals])
  if (named.length > 0) return named.map(({ type, id }) => `${word(type)} ${id}`).join(', ')
  return is === undefined ? 'everybody' : `every ${word(is)}`
}
