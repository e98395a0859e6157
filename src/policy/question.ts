/**
 * What exactly is being asked?
 * Stops: questions that Cedar would read differently from us; arguments that count where nothing is called.
 * Trusts: nothing: principal, permission and target are checked as if they came from the wire.
 * Fails: what cannot be read is `unreadable` with the reason, and is denied.
 */
import { type Classification, type Principal, unclassified } from '#kernel'
import type { CallArguments } from './arguments.ts'
import type { Circumstances } from './circumstances.ts'
import type { Asked } from './explain.ts'
import { actionOf, type Permission, thingOf, type ThingKind } from './permissions.ts'

const thingOfKind: ReadonlyMap<string, ThingKind> = new Map([
  ['server', 'Server'],
  ['tool', 'Tool'],
  ['resource', 'Resource'],
  ['prompt', 'Prompt'],
])

/** The longest name or URI that is judged, in UTF-16 units; a longer one is denied. */
export const longestJudgedName = 65_536

/** A question that was read: everything in it has the form that rules expect. */
export interface Question {
  readonly principal: Principal
  /** One of `requestActions`. */
  readonly action: string
  readonly thing: ThingKind
  /** `castellan` for the admin plane. */
  readonly upstream: string
  /** Empty for a server and for the admin plane. */
  readonly name: string
  readonly classification: Classification
  readonly circumstances: Circumstances
  /** Wall-clock milliseconds since the epoch. */
  readonly at: number
  /** Undefined where they are not known; empty where nothing takes any. */
  readonly callArguments: CallArguments
}

export type ReadQuestion = { readonly unreadable: string } | (Question & { readonly unreadable?: never })

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longestJudgedName && value.isWellFormed()
}

/** WHY: a principal is asked about again and again, and never changes. */
const readable = new WeakSet<Principal>()

function unreadableOf(principal: Principal): string | undefined {
  if (readable.has(principal)) return undefined
  const { id, roles } = principal
  if (!Array.isArray(roles) || !roles.every(isName)) return 'the roles are unreadable'
  if (!isName(id)) return 'the principal has no readable id'
  readable.add(principal)
  return undefined
}

type Place = Pick<Question, 'thing' | 'upstream' | 'name'>

const adminPlane: Place = { thing: 'AdminPlane', upstream: 'castellan', name: '' }

function readTarget(target: Asked): Place | string {
  if (target === 'castellan') return adminPlane
  const thing = thingOfKind.get(target?.kind)
  if (thing === undefined) return 'the target is of no known kind'
  if (!isName(target.upstream)) return 'the upstream has no readable name'
  if (thing === 'Server') {
    return target.name === undefined
      ? { thing, upstream: target.upstream, name: '' }
      : 'a server as a whole has no further name'
  }
  if (!isName(target.name)) return 'the target has no readable name, or one that is too long'
  return { thing, upstream: target.upstream, name: target.name }
}

const noArguments = Object.freeze({})

/** What a question is about, and in which circumstances. */
export interface Asking {
  readonly permission: Permission
  readonly target: Asked
  readonly circumstances: Circumstances
  /** Counts where the circumstances tell no time. */
  readonly now: number
}

/** Reads a question from untrusted values. */
export function readQuestion(principal: Principal, asking: Asking): ReadQuestion {
  const { permission, target, circumstances, now } = asking
  const expected = thingOf(permission)
  if (expected === undefined) return { unreadable: 'there is no such permission' }
  const place = readTarget(target)
  if (typeof place === 'string') return { unreadable: place }
  const { thing, upstream, name } = place
  if (thing !== expected) return { unreadable: 'the permission does not apply to a target of this kind' }
  const unreadable = unreadableOf(principal)
  if (unreadable !== undefined) return { unreadable }
  const { classification = unclassified, callArguments, at = now } = circumstances
  const action = actionOf(permission, classification.effect)
  if (action === '') return { unreadable: 'the tool is of no known effect class' }
  // INVARIANT: a tool and a prompt are all that takes arguments; what comes with anything else is not judged by.
  const given = thing === 'Tool' || thing === 'Prompt' ? callArguments : noArguments
  return { principal, action, thing, upstream, name, classification, circumstances, at, callArguments: given }
}
