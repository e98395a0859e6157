/**
 * What exactly is being asked, and under which key is its answer remembered?
 * Stops: two different questions under one key; questions that Cedar would read differently from us.
 * Trusts: nothing: principal, permission and target are checked as if they came from the wire.
 * Fails: what cannot be read is `unreadable` with the reason, and is denied.
 */
import { createHash } from 'node:crypto'
import type { Principal } from '#kernel'
import type { Question } from './cedar/judge.ts'
import type { Asked } from './explain.ts'
import { canStepUp, thingOf, type Permission, type ThingKind } from './permissions.ts'

const thingOfKind: ReadonlyMap<string, ThingKind> = new Map([
  ['server', 'Server'],
  ['tool', 'Tool'],
  ['resource', 'Resource'],
  ['prompt', 'Prompt'],
])

/** The longest name or URI that is judged, in UTF-16 units; a longer one is denied. */
export const longestJudgedName = 65_536
const longestPlainName = 256

export type ReadQuestion =
  | { readonly unreadable: string }
  | { readonly unreadable?: never; readonly question: Question; readonly key: string }

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longestJudgedName && value.isWellFormed()
}

/** Begins with its own length, so that a row of parts can be read in one way only. */
function part(value: string): string {
  if (value.length <= longestPlainName) return `${value.length}:${value}`
  return `#${createHash('sha256').update(value, 'utf8').digest('base64')}`
}

function isSorted(roles: readonly string[]): boolean {
  for (let index = 1; index < roles.length; index++) {
    if ((roles[index - 1] ?? '') >= (roles[index] ?? '')) return false
  }
  return true
}

/** Without doubles and in order, so that equal sets of roles have equal keys. */
function setOf(roles: readonly string[]): readonly string[] {
  return isSorted(roles) ? roles : [...new Set(roles)].toSorted()
}

function readTarget(target: Asked): { thing: ThingKind; attributes: Record<string, string> } | string {
  if (target === 'castellan') return { thing: 'AdminPlane', attributes: {} }
  const thing = thingOfKind.get(target?.kind)
  if (thing === undefined) return 'the target is of no known kind'
  if (!isName(target.upstream)) return 'the upstream has no readable name'
  if (thing === 'Server') {
    return target.name === undefined
      ? { thing, attributes: { upstream: target.upstream } }
      : 'a server as a whole has no further name'
  }
  if (!isName(target.name)) return 'the target has no readable name, or one that is too long'
  return { thing, attributes: { upstream: target.upstream, name: target.name } }
}

/** What was proved for this one question alone. */
export interface Proven {
  /** The person has proved a fresh factor for it. */
  readonly isSteppedUp?: boolean
}

/** Reads a question from untrusted values. The key holds everything the judge is told, and nothing else. */
export function readQuestion(
  principal: Principal,
  permission: Permission,
  target: Asked,
  { isSteppedUp = false }: Proven = {},
): ReadQuestion {
  const expected = thingOf(permission)
  if (expected === undefined) return { unreadable: 'there is no such permission' }
  const read = readTarget(target)
  if (typeof read === 'string') return { unreadable: read }
  if (read.thing !== expected) return { unreadable: 'the permission does not apply to a target of this kind' }
  if (!Array.isArray(principal.roles) || !principal.roles.every(isName))
    return { unreadable: 'the roles are unreadable' }
  const roles = setOf(principal.roles)
  const { thing, attributes } = read
  // INVARIANT: the permission is one of a fixed list and decides how many parts of the target follow.
  const stepUp = canStepUp(permission) ? isSteppedUp : undefined
  let key = stepUp === true ? `${permission}!|` : `${permission}|`
  if (attributes['upstream'] !== undefined) key += part(attributes['upstream'])
  if (attributes['name'] !== undefined) key += part(attributes['name'])
  for (const role of roles) key += part(role)
  return { question: { roles, permission, thing, attributes, stepUp }, key }
}
