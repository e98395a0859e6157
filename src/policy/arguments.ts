/**
 * What does a call give under this key, as text, number, flag or list?
 * Stops: a value that a rule reads as one type and a server as another; a key that a careless server takes for the one that
 * a rule reads; a walk through arguments that no rule asks for.
 * Trusts: `readMessage` for arguments in which every key is what it seems.
 * Fails: what is there in another type, or beside a look-alike, is confused, and reading it denies.
 * @see RFC 6901, JSON pointer; here without its first slash
 */
import { fold, isObject } from '#protocol'
import { type CedarSet, confused, type Result, textSet, unknown } from './evaluate/values.ts'

/** The four ways in which an argument can be read. */
export const argumentKinds = ['texts', 'numbers', 'flags', 'lists'] as const
export type ArgumentKind = (typeof argumentKinds)[number]

export type CallArguments = Readonly<Record<string, unknown>> | undefined

/** Stands, in arguments that are known in part, for what nobody told. */
export const untold = Symbol('untold')
const missing = Symbol('missing')
const doubtful = Symbol('doubtful')

const mostRemembered = 2_000
const longestRemembered = 64

/** WHY: the names in rules and in calls are few, and asked for again and again. */
function remembering<Made>(make: (text: string) => Made): (text: string) => Made {
  const known = new Map<string, Made>()
  return (text) => {
    const remembered = known.get(text)
    if (remembered !== undefined) return remembered
    const made = make(text)
    if (text.length > longestRemembered) return made
    // INVARIANT: what is remembered is bounded, whatever callers name.
    if (known.size >= mostRemembered) known.clear()
    known.set(text, made)
    return made
  }
}

/** One step along a key, and what a careless reader takes it for. */
interface Segment {
  readonly name: string
  readonly folded: string
}

const foldOf = remembering(fold)
/** A tilde that stands for nothing. SPEC: RFC 6901, section 3. */
const looseTilde = /~(?![01])/
/** Empty for what is no key. INVARIANT: there is one key for an argument; another one would be none for the official engine. */
const segmentsOf = remembering((key): readonly Segment[] => {
  if (looseTilde.test(key)) return []
  return key.split('/').map((part) => {
    const name = part.includes('~') ? part.replaceAll('~1', '/').replaceAll('~0', '~') : part
    return { name, folded: fold(name) }
  })
})

type Members = Readonly<Record<string, unknown>>

/** Names by what careless readers take them for. */
type Index = ReadonlyMap<string, string | typeof doubtful>

const mostWalked = 32
const indexes = new WeakMap<Members, Index>()

function indexOf(object: Members): Index {
  const index = new Map<string, string | typeof doubtful>()
  for (const name of Object.keys(object)) {
    // WHY: not by what is remembered; so many names would push out those of rules.
    const folded = fold(name)
    index.set(folded, index.has(folded) ? doubtful : name)
  }
  indexes.set(object, index)
  return index
}

/**
 * INVARIANT: a member that another reader could take for this one makes it doubtful, whether it is there or not.
 * WHY: where there are many, they are walked through once, and not again for each key that rules read.
 */
function memberOf(object: Members, { name, folded }: Segment): unknown {
  let index = indexes.get(object)
  if (index === undefined) {
    let walked = 0
    let isDoubtful = false
    for (const other in object) {
      walked += 1
      if (walked > mostWalked) break
      isDoubtful ||= other !== name && foldOf(other) === folded
    }
    if (isDoubtful) return doubtful
    if (walked <= mostWalked) return Object.hasOwn(object, name) ? object[name] : missing
    index = indexOf(object)
  }
  const found = index.get(folded)
  if (found === undefined) return missing
  return found === name ? object[name] : doubtful
}

const index = /^(?:0|[1-9]\d{0,8})$/

function elementOf(list: readonly unknown[], name: string): unknown {
  return index.test(name) && Number(name) < list.length ? list[Number(name)] : missing
}

function find(given: Readonly<Record<string, unknown>>, key: string): unknown {
  let found: unknown = given
  for (const segment of segmentsOf(key)) {
    if (Array.isArray(found)) found = elementOf(found, segment.name)
    else found = isObject(found) ? memberOf(found, segment) : missing
    if (typeof found === 'symbol') return found
  }
  return found
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

const longestReread = 64
const sets = new WeakMap<readonly unknown[], CedarSet | 'no-texts'>()

/** WHY: a long list is read once, and not again by each rule; so its set stays the same one, which keys go by. */
function listOf(value: unknown): CedarSet | undefined {
  if (!Array.isArray(value)) return undefined
  const list: readonly unknown[] = value
  if (list.length <= longestReread) return list.every(isText) ? textSet(new Set(list)) : undefined
  const known = sets.get(list) ?? (list.every(isText) ? textSet(new Set(list)) : 'no-texts')
  sets.set(list, known)
  return known === 'no-texts' ? undefined : known
}

const readers: Readonly<Record<ArgumentKind, (value: unknown) => Result | undefined>> = {
  texts: (value) => (isText(value) ? value : undefined),
  numbers: (value) => (Number.isSafeInteger(value) ? Number(value) + 0 : undefined),
  flags: (value) => (typeof value === 'boolean' ? value : undefined),
  lists: listOf,
}

/** The argument under a key; undefined where there is none, `unknown` where nobody told. */
export function argumentOf(given: CallArguments, kind: ArgumentKind, key: string): Result | undefined {
  if (given === undefined) return unknown
  const found = find(given, key)
  if (found === missing) return undefined
  if (found === untold) return unknown
  if (found === given) return confused('a rule names an argument by a key in which `~` is not written `~0`')
  if (found === doubtful) return confused('an argument that a rule reads has a look-alike')
  return readers[kind](found) ?? confused(`an argument that a rule reads in \`${kind}\` is something else`)
}

type Tags = Record<ArgumentKind, Record<string, string | number | boolean | string[]>>

/** At most so many UTF-16 units of keys and texts together are told to the official engine. */
export const mostTold = 1_048_576

/** What is collected, and how much of it there may still be. */
interface Collecting {
  readonly tags: Tags
  left: number
}

/** INVARIANT: a long name counts once for each member under it, as often as it is written. */
function spend(collecting: Collecting, key: string, value: unknown): void {
  collecting.left -= key.length + (typeof value === 'string' ? value.length : 1)
  if (collecting.left < 0) throw new RangeError('these arguments are too many for the official engine')
}

function collect(value: unknown, key: string, collecting: Collecting): void {
  const { tags } = collecting
  spend(collecting, key, value)
  if (isText(value)) tags.texts[key] = value
  else if (typeof value === 'number' && Number.isSafeInteger(value)) tags.numbers[key] = value + 0
  else if (typeof value === 'boolean') tags.flags[key] = value
  else if (Array.isArray(value) && value.every(isText)) tags.lists[key] = [...new Set(value)]
  if (!isObject(value) && !Array.isArray(value)) return
  for (const [name, inner] of Object.entries(value)) {
    collect(inner, `${key}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, collecting)
  }
}

/**
 * All arguments by their keys: for the official engine, which asks for nothing by itself.
 * @throws RangeError for more than `mostTold`
 */
export function allArguments(given: CallArguments): Tags {
  // WHY: without a prototype every name is a name like any other.
  const blank = () => Object.create(null) as Record<string, never>
  const tags: Tags = { texts: blank(), numbers: blank(), flags: blank(), lists: blank() }
  const collecting = { tags, left: mostTold }
  for (const [name, value] of Object.entries(given ?? {})) {
    collect(value, name.replaceAll('~', '~0').replaceAll('/', '~1'), collecting)
  }
  return tags
}
