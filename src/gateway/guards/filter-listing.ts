/**
 * Which of the listed things may this person use? Learns `safeResult` with those only.
 * Stops: a list that shows what a call would refuse: the same decision, pins and holds judge both (G3).
 * Trusts: policy, pins and holds; nothing in the listed definitions.
 * Fails: an item that cannot be read or judged is not shown; lists are marked private to the caller.
 */
import { Fault, type Sealer, type Target } from '#kernel'
import type { Policy } from '#policy'
import {
  applyEdits,
  asPrivate,
  elementSpans,
  hasLookAlike,
  isObject,
  knownNames,
  type KnownNames,
  legacyDefinitions,
  type Message,
  spanOf,
} from '#protocol'
import { isDefinitionApproved, type Pin, withoutUnsafeIcons } from '#upstream'
import type { Guard } from '../checklist.ts'
import { circumstancesOfOther, type Classifies } from '../flow/circumstances.ts'
import type { Definitions } from '../definitions.ts'
import type { TaskIds } from '../handles/task-ids.ts'
import { type Answered, inspectAnswer, type Inspected } from './inspect-result.ts'
import { isUsable } from './authorize-call.ts'
import { permissionOn } from '../flow/needed.ts'

export interface ListingRooms {
  readonly policy: Pick<Policy, 'decide' | 'findHold'>
  readonly pins: {
    find(upstream: string, tool: string): Pin | undefined
    observe(upstream: string, tools: readonly unknown[]): Promise<void>
  }
  readonly classifications: Classifies
  readonly sealer: Sealer
  readonly definitions: Definitions
  readonly taskIds: TaskIds
}

interface Listing {
  /** The member of the result that holds the items. */
  readonly member: string
  readonly memberNames: KnownNames
  /** The member of an item that a call would name it by. */
  readonly key: string
  readonly keyNames: KnownNames
  readonly kind: 'tool' | 'resource' | 'prompt'
}

const listed: Readonly<Record<string, Pick<Listing, 'member' | 'key' | 'kind'>>> = {
  'tools/list': { member: 'tools', key: 'name', kind: 'tool' },
  'resources/list': { member: 'resources', key: 'uri', kind: 'resource' },
  'resources/templates/list': { member: 'resourceTemplates', key: 'uriTemplate', kind: 'resource' },
  'prompts/list': { member: 'prompts', key: 'name', kind: 'prompt' },
}

const listings: ReadonlyMap<string, Listing> = new Map(
  Object.entries(listed).map(([method, listing]) => [
    method,
    { ...listing, memberNames: knownNames(listing.member), keyNames: knownNames(listing.key) },
  ]),
)

/** Of one page; nobody can approve more of one upstream. */
const maxListedTools = 1_000

/** Whether a method's result is a list that must be filtered. */
export function isListing(method: string | undefined): boolean {
  return method !== undefined && listings.has(method)
}

function isShown(item: unknown, listing: Listing, known: Answered, rooms: ListingRooms): boolean {
  if (!isObject(item) || hasLookAlike(item, listing.keyNames)) return false
  const name = item[listing.key]
  if (typeof name !== 'string') return false
  const target: Target = { upstream: known.upstream.name, kind: listing.kind, name }
  const circumstances = circumstancesOfOther(rooms.classifications, known.circumstances, target)
  if (!isUsable(rooms.policy, known.principal, { permission: permissionOn(target), target, circumstances }))
    return false
  if (rooms.policy.findHold({ personId: known.principal.id, target }) !== undefined) return false
  if (listing.kind !== 'tool') return true
  const pin = rooms.pins.find(known.upstream.name, name)
  return pin !== undefined && isDefinitionApproved(pin, item)
}

/** INVARIANT: a name listed twice is not one tool: it cannot be called, so it is not shown. */
function namedTwice(items: readonly unknown[]): ReadonlySet<unknown> {
  const [once, twice] = [new Set(), new Set()]
  for (const item of items) {
    const name = isObject(item) ? item['name'] : undefined
    if (once.has(name)) twice.add(name)
    once.add(name)
  }
  return twice
}

async function observeTools(rooms: ListingRooms, upstream: string, items: readonly unknown[]): Promise<void> {
  if (items.length > maxListedTools) {
    throw new Fault('upstream.misbehaved', 'the upstream lists more tools than are read')
  }
  await rooms.pins.observe(upstream, items)
}

/** The response with the shown items only; every other character stays as the upstream wrote it. */
function keepShown(text: string, listing: Listing, shown: (index: number) => unknown): string {
  const list = spanOf(text, ['result', listing.member])
  if (list === undefined) throw new Fault('upstream.misbehaved', 'the list cannot be found')
  const kept = elementSpans(text, list).flatMap((span, index) => {
    const item = shown(index)
    if (item === undefined) return []
    // WHY: a tool is written as it was hashed, so that digits beyond a double's precision cannot differ from the pin's.
    return [listing.kind === 'tool' ? JSON.stringify(item) : withoutUnsafeIcons(text.slice(...span), item)]
  })
  return applyEdits(text, [{ span: list, text: `[${kept.join(',')}]` }])
}

export function filterListing(rooms: ListingRooms): Guard<Answered, Inspected> {
  const change = async (known: Answered, message: Message, result: Record<string, unknown>) => {
    const listing = listings.get(known.message?.method ?? '')
    if (listing === undefined) throw new Fault('gateway.fault', 'this is no list')
    if (hasLookAlike(result, listing.memberNames)) {
      throw new Fault('upstream.misbehaved', 'a member differs from the list only in case')
    }
    const items = result[listing.member]
    if (!Array.isArray(items)) throw new Fault('upstream.misbehaved', 'the list is missing')
    const all: unknown[] = items
    if (listing.kind === 'tool') await observeTools(rooms, known.upstream.name, all)
    const twice = listing.kind === 'tool' ? namedTwice(all) : undefined
    const text = keepShown(message.text, listing, (index) => {
      const item = all[index]
      if (isObject(item) && twice?.has(item['name']) === true) return undefined
      return isShown(item, listing, known, rooms) ? item : undefined
    })
    if (known.era === 'modern') return asPrivate(text)
    // WHY: not before; a translated definition could not be compared with the approved one.
    return listing.kind === 'tool' && known.answer.isTranslated === true ? legacyDefinitions(text) : text
  }
  return {
    name: 'filter-listing',
    check: (known) => inspectAnswer(known, rooms, { change: (message, result) => change(known, message, result) }),
  }
}
