/**
 * Which permissions exist, which kind of thing is each about, and what does its use do at worst?
 * Stops: a permission asked about a thing it was never meant for (calling a resource, reading the console as a tool).
 * Trusts: nothing; names come from callers.
 * Fails: an unknown name has no kind, and is denied or refused by whoever asked.
 */
import { effectClasses, type EffectClass } from '#kernel'

/** A kind of thing that can be permitted: one entity type of the Cedar schema each. */
export type ThingKind = 'Server' | 'Tool' | 'Resource' | 'Prompt' | 'AdminPlane'

const thingOfEach = {
  'servers:use': 'Server',
  'tools:call': 'Tool',
  'resources:read': 'Resource',
  'prompts:get': 'Prompt',
  'files:read': 'Resource',
  'roots:share': 'Server',
  'people:read': 'AdminPlane',
  'people:write': 'AdminPlane',
  'roles:read': 'AdminPlane',
  'roles:write': 'AdminPlane',
  'upstreams:read': 'AdminPlane',
  'upstreams:write': 'AdminPlane',
  'holds:read': 'AdminPlane',
  'holds:write': 'AdminPlane',
  'approvals:write': 'AdminPlane',
  'audit:read': 'AdminPlane',
  'reviews:read': 'AdminPlane',
  'reviews:write': 'AdminPlane',
  'config:write': 'AdminPlane',
  'metrics:read': 'AdminPlane',
  'tokens:read': 'AdminPlane',
  'tokens:write': 'AdminPlane',
} as const satisfies Record<string, ThingKind>

/** What can be asked for: six on the data plane, the others on the admin plane. */
export type Permission = keyof typeof thingOfEach

const things: ReadonlyMap<string, ThingKind> = new Map(Object.entries(thingOfEach))

/** Every permission, data plane first. */
export const permissions: readonly string[] = [...things.keys()]

const calling = 'tools:call'
const classOfThing: Readonly<Record<ThingKind, EffectClass>> = {
  Server: 'discover',
  Tool: 'execute',
  Resource: 'read',
  Prompt: 'read',
  AdminPlane: 'administer',
}

const callOf = new Map(effectClasses.map((effect) => [effect, `${calling}/${effect}`] as const))
const calls: ReadonlySet<string> = new Set(callOf.values())
const oneCallEach: ReadonlySet<string> = new Set([calling, ...calls, 'resources:read', 'prompts:get', 'files:read'])

/** One thing that can be asked of the Cedar schema: its name and the groups that it is in. */
export interface RequestAction {
  readonly name: string
  readonly thing: ThingKind
  readonly groups: readonly string[]
}

/** Every action that a question can be about. A call of a tool is one of several, by what the tool does at worst. */
export const requestActions: readonly RequestAction[] = [
  ...permissions.flatMap((name) => {
    const thing = things.get(name)
    if (thing === undefined || name === calling) return []
    return [{ name, thing, groups: [classOfThing[thing]] }]
  }),
  ...[...callOf].map(([effect, name]) => ({ name, thing: 'Tool' as const, groups: [calling, effect] })),
]

/** The action that a question is about. @param effect of the tool, as approved */
export function actionOf(permission: Permission, effect: EffectClass): string {
  return permission === calling ? (callOf.get(effect) ?? '') : permission
}

/** Whether each use of a permission is one call, for which a fresh factor can be asked. */
export function canStepUp(permission: string): boolean {
  return oneCallEach.has(permission)
}

/** The kind of thing a permission is about; undefined for a name that is not a permission. */
export function thingOf(permission: string): ThingKind | undefined {
  return things.get(permission)
}

/** The same for what a grant may name: also `tools:call/<effect class>`, for the tools of that class alone. */
export function grantedThingOf(permission: string): ThingKind | undefined {
  return calls.has(permission) ? 'Tool' : things.get(permission)
}

/** Does a grant of `wide` give everything that `narrow` names? */
export function includes(wide: string, narrow: string): boolean {
  return wide === '*' || wide === narrow || (wide === calling && calls.has(narrow))
}
