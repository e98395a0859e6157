/**
 * What does a resource pattern of a grant cover?
 * Stops: a pattern read as more than it says: only a `*` that stands alone is a wildcard, names are literal.
 * Trusts: nothing.
 * Fails: a text that is no pattern is undefined, never "everything".
 */
import type { ThingKind } from '../permissions.ts'

/** The kinds of things an upstream offers. */
export type OfferedKind = 'Tool' | 'Resource' | 'Prompt'

export type ResourcePattern =
  | { readonly covers: 'everything' }
  | { readonly covers: 'admin-plane' }
  | { readonly covers: 'server'; readonly upstream: string }
  | { readonly covers: 'contents'; readonly upstream: string }
  | { readonly covers: 'kind'; readonly upstream: string; readonly kind: OfferedKind }
  | { readonly covers: 'one'; readonly upstream: string; readonly kind: OfferedKind; readonly name: string }

const folders: ReadonlyMap<string, OfferedKind> = new Map([
  ['tools', 'Tool'],
  ['resources', 'Resource'],
  ['prompts', 'Prompt'],
])

/**
 * Reads `*`, `castellan`, `<upstream>`, `<upstream>/*`, `<upstream>/<tools|resources|prompts>/*` and
 * `<upstream>/<tools|resources|prompts>/<name>`; the name may hold any character, also `/`.
 */
export function parsePattern(text: string): ResourcePattern | undefined {
  if (text === '*') return { covers: 'everything' }
  if (text === 'castellan') return { covers: 'admin-plane' }
  const slash = text.indexOf('/')
  const upstream = slash === -1 ? text : text.slice(0, slash)
  if (upstream === '' || upstream === '*' || upstream === 'castellan') return undefined
  if (slash === -1) return { covers: 'server', upstream }
  const rest = text.slice(slash + 1)
  if (rest === '*') return { covers: 'contents', upstream }
  const second = rest.indexOf('/')
  const kind = second === -1 ? undefined : folders.get(rest.slice(0, second))
  const name = rest.slice(second + 1)
  if (kind === undefined || name === '') return undefined
  return name === '*' ? { covers: 'kind', upstream, kind } : { covers: 'one', upstream, kind, name }
}

/** Can a pattern cover a thing of this kind at all? */
export function touches(pattern: ResourcePattern, thing: ThingKind): boolean {
  switch (pattern.covers) {
    case 'everything':
      return true
    case 'admin-plane':
      return thing === 'AdminPlane'
    case 'server':
      return thing === 'Server'
    case 'contents':
      return thing !== 'AdminPlane' && thing !== 'Server'
    case 'kind':
    case 'one':
      return thing === pattern.kind
  }
}

/** Does `wide` cover everything that `narrow` covers? */
export function contains(wide: ResourcePattern, narrow: ResourcePattern): boolean {
  if (wide.covers === 'everything') return true
  if (wide.covers === 'admin-plane' || narrow.covers === 'admin-plane') return wide.covers === narrow.covers
  if (narrow.covers === 'everything' || wide.upstream !== narrow.upstream) return false
  if (wide.covers === 'server' || narrow.covers === 'server') return wide.covers === narrow.covers
  if (wide.covers === 'contents') return true
  if (narrow.covers === 'contents' || wide.kind !== narrow.kind) return false
  return wide.covers === 'kind' || (narrow.covers === 'one' && wide.name === narrow.name)
}
