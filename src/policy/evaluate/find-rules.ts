/**
 * Which rules can apply to a request?
 * Stops: a walk through all rules for each decision; a rule that is passed over although it could hold or err.
 * Trusts: `Pins`, which leave a rule out only where it neither holds nor errs.
 * Fails: what is not a plain name pins nothing: all rules of the action and type are asked.
 */
import type { CompiledRule } from './compile-rule.ts'
import { groupOf, type RuleGroup } from './rule-group.ts'
import type { CedarRequest, EntityUid } from './values.ts'

function isUid(one: EntityUid, other: EntityUid): boolean {
  return one.id === other.id && one.type === other.type
}

function fitsAction({ action }: CompiledRule, asked: EntityUid, ancestors: readonly EntityUid[]): boolean {
  const { is, equals, within } = action
  if (is !== undefined && is !== asked.type) return false
  if (equals !== undefined && !isUid(equals, asked)) return false
  return within === undefined || within.some((one) => isUid(one, asked) || ancestors.some((group) => isUid(one, group)))
}

/** What a rule's conditions leave over, once the type is known: undefined where it cannot apply. */
interface Narrowed {
  readonly rule: CompiledRule
  /** Whether all pins hold where the rule is found. */
  readonly isSettled: boolean
  readonly alternatives: readonly { upstreams?: ReadonlySet<string>; names?: ReadonlySet<string> }[]
}

function overlap(one: ReadonlySet<string> | undefined, other: ReadonlySet<string>): ReadonlySet<string> {
  return one === undefined ? other : new Set(Array.from(one).filter((value) => other.has(value)))
}

function narrow(rule: CompiledRule, type: string, known: KnownAttributes): Narrowed | undefined {
  const alternatives: Narrowed['alternatives'][number][] = []
  let isSettled = true
  for (const pins of rule.pins) {
    let left: Narrowed['alternatives'][number] | undefined = {}
    for (const pin of pins) {
      if (pin.on === 'type') {
        if (pin.type === type) continue
        left = undefined
        break
      }
      // INVARIANT: behind what is not there a rule errs, whatever its other conditions say.
      if (!known[pin.on]) {
        isSettled = false
        break
      }
      left =
        pin.on === 'upstream'
          ? { ...left, upstreams: overlap(left.upstreams, pin.values) }
          : { ...left, names: overlap(left.names, pin.values) }
    }
    if (left !== undefined) alternatives.push(left)
  }
  return alternatives.length === 0 ? undefined : { rule, isSettled, alternatives }
}

/** Rules under each value that one of their alternatives asks for, and those that take any. */
interface Sorted {
  readonly byValue: ReadonlyMap<string, readonly Narrowed[]>
  readonly rest: readonly Narrowed[]
}

function sortBy(on: 'upstreams' | 'names', all: readonly Narrowed[]): Sorted {
  const byValue = new Map<string, Narrowed[]>()
  const rest: Narrowed[] = []
  for (const one of all) {
    const sets = one.alternatives.map((alternative) => alternative[on])
    if (sets.includes(undefined)) {
      rest.push(one)
      continue
    }
    for (const value of new Set(sets.flatMap((set) => [...(set ?? [])]))) {
      const alternatives = one.alternatives.filter((alternative) => alternative[on]?.has(value))
      add(byValue, value, { ...one, alternatives })
    }
  }
  return { byValue, rest }
}

/** Rules by the principals that their heads name. */
interface ByPrincipal {
  readonly groups: ReadonlyMap<string, readonly Narrowed[]>
  readonly rest: readonly Narrowed[]
}

function nameOf({ type, id }: EntityUid): string {
  return `${type.length}:${type}${id}`
}

function add<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [item])
  else list.push(item)
}

/** The principals that the head of a rule names; undefined where it names none. */
function namedBy({ principal: { equals, within } }: CompiledRule): ReadonlySet<string> | undefined {
  const named = equals === undefined ? within : [equals]
  return named === undefined ? undefined : new Set(named.map(nameOf))
}

function sortByPrincipal(all: readonly Narrowed[]): ByPrincipal {
  const groups = new Map<string, Narrowed[]>()
  const rest: Narrowed[] = []
  for (const one of all) {
    const named = namedBy(one.rule)
    if (named === undefined) rest.push(one)
    else for (const name of named) add(groups, name, one)
  }
  return { groups, rest }
}

function fitsPrincipal({ principal }: CompiledRule, asked: EntityUid, belongsTo: ReadonlySet<string>): boolean {
  const { is, equals, within } = principal
  if (is !== undefined && is !== asked.type) return false
  if (equals !== undefined && !isUid(equals, asked)) return false
  return within === undefined || within.some((one) => belongsTo.has(nameOf(one)))
}

interface Asker {
  readonly uid: EntityUid
  /** Of itself and of all it belongs to, as far as heads name them. */
  readonly names: ReadonlySet<string>
  /** Equal for principals for whom the same rules are found. */
  readonly signature: string
}

function pick({ groups, rest }: ByPrincipal, { uid, names }: Asker): Narrowed[] {
  const found = new Set(rest)
  for (const name of names) for (const one of groups.get(name) ?? []) found.add(one)
  return [...found].filter(({ rule }) => fitsPrincipal(rule, uid, names))
}

let groups = 0

function newGroup(some: readonly Narrowed[]): RuleGroup {
  groups += 1
  const rules = some
    .map(({ rule, isSettled }) => (isSettled ? (rule.beyondPins?.() ?? rule) : rule))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
  return groupOf(rules, `${groups}:`)
}

/** What is found for one asker at one upstream, or at all that no rule names. */
interface Place {
  readonly forAnyName: RuleGroup
  /** For the names that a rule names. */
  readonly byName: ReadonlyMap<string, () => RuleGroup>
}

function placeOf(some: readonly Narrowed[]): Place {
  const { byValue, rest } = sortBy('names', some)
  const byName = Array.from(byValue, ([name, more]): [string, () => RuleGroup] => {
    let made: RuleGroup | undefined
    return [name, () => (made ??= newGroup([...rest, ...more]))]
  })
  return { forAnyName: newGroup(rest), byName: new Map(byName) }
}

/** The rules for one action and one type of resource. */
interface Shelf {
  readonly byUpstream: ReadonlyMap<string, ByPrincipal>
  readonly rest: ByPrincipal
  /** By the signature of the asker. */
  readonly found: Map<string, FoundForAsker>
}

/** Answers which rules there are for principals of one signature. */
export type FoundForAsker = (upstream: string | undefined, name: string | undefined) => RuleGroup

function searchShelf(shelf: Shelf, asker: Asker): FoundForAsker {
  const anywhere = pick(shelf.rest, asker)
  const elsewhere = placeOf(anywhere)
  const places = new Map<string, Place>()

  function placeAt(upstream: string): Place {
    const known = places.get(upstream)
    if (known !== undefined) return known
    const rules = shelf.byUpstream.get(upstream)
    if (rules === undefined) return elsewhere
    const here = pick(rules, asker)
    // INVARIANT: only upstreams that a rule names have a place of their own.
    const made = here.length === 0 ? elsewhere : placeOf([...anywhere, ...here])
    places.set(upstream, made)
    return made
  }

  return (upstream, name) => {
    const place = upstream === undefined ? elsewhere : placeAt(upstream)
    const ofName = name === undefined ? undefined : place.byName.get(name)
    return ofName === undefined ? place.forAnyName : ofName()
  }
}

const mostKept = 2_000

/** INVARIANT: what is kept is bounded, whatever is asked; what was forgotten is made again. */
function keep<Kept>(kept: Map<string, Kept>, key: string, fresh: Kept): Kept {
  if (kept.size >= mostKept) kept.clear()
  kept.set(key, fresh)
  return fresh
}

/** Which of the names in heads a principal has; remembered for as long as its list of ancestors lives. */
function createAskers(rules: readonly CompiledRule[]): (request: CedarRequest) => Asker {
  const numbers = new Map<string, number>()
  for (const name of rules.flatMap((rule) => [...(namedBy(rule) ?? [])])) {
    if (!numbers.has(name)) numbers.set(name, numbers.size)
  }
  const known = new WeakMap<readonly EntityUid[], Asker>()
  const nobody: readonly EntityUid[] = []
  return (request) => {
    const { principal: uid } = request
    const ancestors = request.entity(uid)?.ancestors ?? nobody
    const remembered = known.get(ancestors)
    if (remembered !== undefined && isUid(remembered.uid, uid)) return remembered
    const own = nameOf(uid)
    const names = new Set([own, ...ancestors.map(nameOf)].filter((name) => numbers.has(name)))
    const hits = Array.from(names, (name) => numbers.get(name) ?? -1).toSorted((one, other) => one - other)
    const asker = { uid, names, signature: `${numbers.get(own) ?? ''}|${hits.join()}|${uid.type}` }
    known.set(ancestors, asker)
    return asker
  }
}

/** Which attributes of a resource are strings. */
interface KnownAttributes {
  readonly upstream: boolean
  readonly name: boolean
}

function fillShelf(rules: readonly CompiledRule[], request: CedarRequest, known: KnownAttributes): Shelf {
  const ancestors = request.entity(request.action)?.ancestors ?? []
  const { byValue, rest } = sortBy(
    'upstreams',
    rules.flatMap((rule) =>
      fitsAction(rule, request.action, ancestors) ? (narrow(rule, request.resource.type, known) ?? []) : [],
    ),
  )
  const byUpstream = new Map(Array.from(byValue, ([upstream, some]) => [upstream, sortByPrincipal(some)]))
  return { byUpstream, rest: sortByPrincipal(rest), found: new Map() }
}

/** WHY: the names of actions and types are the same few objects in all questions of a process. */
function createShortcut(): (request: CedarRequest, find: (request: CedarRequest) => FoundForAsker) => FoundForAsker {
  const byAncestors = new WeakMap<object, WeakMap<EntityUid, WeakMap<EntityUid, [EntityUid, FoundForAsker]>>>()
  return (request, find) => {
    const { principal, action, resource } = request
    const ancestors = request.entity(principal)?.ancestors
    if (ancestors === undefined) return find(request)
    const byAction =
      byAncestors.get(ancestors) ?? new WeakMap<EntityUid, WeakMap<EntityUid, [EntityUid, FoundForAsker]>>()
    const byResource = byAction.get(action) ?? new WeakMap<EntityUid, [EntityUid, FoundForAsker]>()
    const known = byResource.get(resource)
    if (known !== undefined && known[0] === principal) return known[1]
    const found = find(request)
    byResource.set(resource, [principal, found])
    byAncestors.set(ancestors, byAction.set(action, byResource))
    return found
  }
}

/** Makes `find`, which says what was found for who asks, for the action and the type of the resource. */
export function createFinder(rules: readonly CompiledRule[]) {
  const askerOf = createAskers(rules)
  const shelves = new Map<string, Shelf>()
  const shortcut = createShortcut()

  function search(request: CedarRequest, known: KnownAttributes): FoundForAsker {
    const { action, resource } = request
    const place = `${known.upstream ? 'u' : ''}${known.name ? 'n' : ''}|${action.type.length}:${action.type}${resource.type}|${action.id}`
    const shelf = shelves.get(place) ?? keep(shelves, place, fillShelf(rules, request, known))
    const asker = askerOf(request)
    return shelf.found.get(asker.signature) ?? keep(shelf.found, asker.signature, searchShelf(shelf, asker))
  }

  const bothKnown = { upstream: true, name: true }
  const searchPlain = (request: CedarRequest) => search(request, bothKnown)
  return function find(request: CedarRequest, known: KnownAttributes): FoundForAsker {
    return known.upstream && known.name ? shortcut(request, searchPlain) : search(request, known)
  }
}
