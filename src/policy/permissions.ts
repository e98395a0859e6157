/**
 * Which permissions exist, and which kind of thing is each about?
 * Stops: a permission asked about a thing it was never meant for (calling a resource, reading the console as a tool).
 * Trusts: nothing; names come from callers.
 * Fails: an unknown name has no kind, and is denied or refused by whoever asked.
 */

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
  'audit:read': 'AdminPlane',
  'config:write': 'AdminPlane',
  'metrics:read': 'AdminPlane',
  'tokens:read': 'AdminPlane',
  'tokens:write': 'AdminPlane',
} as const satisfies Record<string, ThingKind>

/** What a role can allow: six on the data plane, the others on the admin plane. */
export type Permission = keyof typeof thingOfEach

const things: ReadonlyMap<string, ThingKind> = new Map(Object.entries(thingOfEach))

/** Every permission, data plane first. */
export const permissions: readonly string[] = [...things.keys()]

const oneCallEach: ReadonlySet<string> = new Set(['tools:call', 'resources:read', 'prompts:get', 'files:read'])

/** Whether each use of a permission is one call, for which a fresh factor can be asked. */
export function canStepUp(permission: string): boolean {
  return oneCallEach.has(permission)
}

/** The kind of thing a permission is about; undefined for a name that is not a permission. */
export function thingOf(permission: string): ThingKind | undefined {
  return things.get(permission)
}
