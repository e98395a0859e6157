/**
 * Which of the listed things may this person use? Learns `safeResult` with those only.
 * Stops: a list that shows what a call would refuse: the same decision, pins and holds judge both (G3).
 * Trusts: policy, pins and holds; nothing in the listed definitions.
 * Fails: an item that cannot be read or judged is not shown; lists are marked private to the caller.
 */
import type { Sealer, Target } from '#kernel'
import type { Policy } from '#policy'
import { isObject } from '#protocol'
import { isDefinitionApproved, type Pin } from '#upstream'
import type { Guard } from '../checklist.ts'
import type { Definitions } from '../definitions.ts'
import { type Answered, inspectAnswer, type Inspected } from './inspect-result.ts'

export interface ListingRooms {
  readonly policy: Pick<Policy, 'decide' | 'findHold'>
  readonly pins: {
    find(upstream: string, tool: string): Pin | undefined
    observe(upstream: string, tools: readonly unknown[]): Promise<void>
  }
  readonly sealer: Sealer
  readonly definitions: Definitions
}

interface Listing {
  /** The member of the result that holds the items. */
  readonly member: string
  /** The member of an item that a call would name it by. */
  readonly key: string
  readonly kind: 'tool' | 'resource' | 'prompt'
  readonly permission: 'tools:call' | 'resources:read' | 'prompts:get'
}

const listings: ReadonlyMap<string, Listing> = new Map([
  ['tools/list', { member: 'tools', key: 'name', kind: 'tool', permission: 'tools:call' }],
  ['resources/list', { member: 'resources', key: 'uri', kind: 'resource', permission: 'resources:read' }],
  [
    'resources/templates/list',
    { member: 'resourceTemplates', key: 'uriTemplate', kind: 'resource', permission: 'resources:read' },
  ],
  ['prompts/list', { member: 'prompts', key: 'name', kind: 'prompt', permission: 'prompts:get' }],
])

/** Whether a method's result is a list that must be filtered. */
export function isListing(method: string | undefined): boolean {
  return method !== undefined && listings.has(method)
}

function isShown(item: unknown, listing: Listing, known: Answered, rooms: ListingRooms): boolean {
  if (!isObject(item)) return false
  const name = item[listing.key]
  if (typeof name !== 'string') return false
  const target: Target = { upstream: known.upstream.name, kind: listing.kind, name }
  if (!rooms.policy.decide(known.principal, listing.permission, target).isAllowed) return false
  if (rooms.policy.findHold({ personId: known.principal.id, target }) !== undefined) return false
  if (listing.kind !== 'tool') return true
  const pin = rooms.pins.find(known.upstream.name, name)
  return pin !== undefined && isDefinitionApproved(pin, item)
}

export function filterListing(rooms: ListingRooms): Guard<Answered, Inspected> {
  const change = async (known: Answered, result: Record<string, unknown>) => {
    const listing = listings.get(known.message?.method ?? '')
    const items = listing === undefined ? undefined : result[listing.member]
    if (listing === undefined) return undefined
    const listed: unknown[] = Array.isArray(items) ? items : []
    if (listing.kind === 'tool') await rooms.pins.observe(known.upstream.name, listed)
    const shown = listed.filter((item) => isShown(item, listing, known, rooms))
    return {
      ...result,
      [listing.member]: shown,
      // SPEC: 2026-07-28, caching: a list that depends on the caller must never be served to another.
      ...(known.era === 'modern' ? { cacheScope: 'private' } : {}),
    }
  }
  return {
    name: 'filter-listing',
    check(known) {
      const safeResult = inspectAnswer(known, rooms, (result) => change(known, result))
      return 'code' in safeResult ? safeResult : { safeResult }
    },
  }
}
