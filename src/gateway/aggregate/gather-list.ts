/**
 * What do several servers list together?
 * Stops: two things under one name, positions in lists of another person, a list that one server can break.
 * Trusts: each server's part to be filtered by the guard that filters its own list.
 * Fails: a server without an answer in time has no part and is named; a position that does not open is refused.
 * @see docs/decisions/0025-several-servers-at-one-address.md
 */
import { refuse } from '#kernel'
import { applyEdits, type Edit, elementSpans, errorCodes, jsonRpcError, metaKeys, spanOf } from '#protocol'
import { type Pin, sharedToolName, toolBySharedName } from '#upstream'
import { gatewayRefusals } from '../refusals.ts'
import { type Absent, absentFor, type AskingRooms, askMembers, type Gathering, type Told } from './ask-members.ts'
import { sharedNameOf } from './inward.ts'
import { interfaceEdits, spanWithin, uriEdits } from './outward.ts'
import type { Position, Seals } from '../handles/seals.ts'

export interface ListRooms extends AskingRooms {
  readonly seals: Seals
  readonly pins: { list(upstream: string): Pin[] }
  /** What Castellan says of itself. */
  readonly serverInfo: { readonly name: string; readonly version: string }
}

interface Listing {
  readonly member: string
  readonly key: string
  readonly kind: 'tool' | 'prompt' | 'resource'
}

const listings: ReadonlyMap<string, Listing> = new Map<string, Listing>([
  ['tools/list', { member: 'tools', key: 'name', kind: 'tool' }],
  ['prompts/list', { member: 'prompts', key: 'name', kind: 'prompt' }],
  ['resources/list', { member: 'resources', key: 'uri', kind: 'resource' }],
  ['resources/templates/list', { member: 'resourceTemplates', key: 'uriTemplate', kind: 'resource' }],
])

/** Longest position of a server that is handed out. */
const maxCursorChars = 16_384
export const absentKey = 'castellan/absent'

interface Item {
  /** The server's own name for it. */
  readonly own: string
  readonly name: string
  readonly text: string
}

function nameEdits(text: string, span: Edit['span'], { kind, key }: Listing, upstream: string): Edit[] {
  if (kind === 'resource') return uriEdits(text, span, [key], upstream)
  const found = spanWithin(text, span, [key])
  if (found === undefined) return []
  const own = JSON.parse(text.slice(...found)) as string
  const edits = [{ span: found, text: JSON.stringify(sharedNameOf(kind, upstream, own)) }]
  return kind === 'tool' ? [...edits, ...interfaceEdits(text, span, upstream)] : edits
}

/** One element of a server's list as it is listed here. */
function itemAt(text: string, span: Edit['span'], listing: Listing, upstream: string): Item | undefined {
  const edits = nameEdits(text, span, listing, upstream)
  const [named] = edits
  if (named === undefined) return undefined
  const shifted = edits.map((edit) => ({
    span: [edit.span[0] - span[0], edit.span[1] - span[0]] as const,
    text: edit.text,
  }))
  const own = JSON.parse(text.slice(...named.span)) as string
  return { own, name: named.text, text: applyEdits(text.slice(...span), shifted) }
}

/** Tools of a server that have no name of their own here. */
function nameless(rooms: ListRooms, upstream: string): readonly string[] {
  const tools = rooms.pins
    .list(upstream)
    .flatMap(({ tool, approvedHash }) => (approvedHash === undefined ? [] : [tool]))
  return tools.filter((tool) => toolBySharedName(sharedToolName(upstream, tool), upstream, tools) !== tool)
}

function itemsOf(told: Told, listing: Listing): Item[] {
  const list = Array.isArray(told.result[listing.member]) ? spanOf(told.text, ['result', listing.member]) : undefined
  if (list === undefined) return []
  return elementSpans(told.text, list).flatMap((span) => itemAt(told.text, span, listing, told.upstream) ?? [])
}

function cursorOf({ result }: Told): string | undefined {
  const cursor = result['nextCursor']
  return typeof cursor === 'string' ? cursor : undefined
}

function ttlOf(told: readonly Told[], absent: readonly Absent[]): number {
  if (absent.length > 0 || told.length === 0) return 0
  const each = told.map(({ result }) => (typeof result['ttlMs'] === 'number' ? result['ttlMs'] : 0))
  return Math.max(0, Math.min(...each))
}

interface Merged {
  readonly items: Item[]
  readonly absent: Absent[]
  readonly positions: Position[]
}

/** The parts of all servers, in order; a server whose part does not fit any more is left out as a whole. */
function merge(rooms: ListRooms, told: readonly Told[], listing: Listing, mostChars: number): Merged {
  const merged: Merged = { items: [], absent: [], positions: [] }
  let chars = 0
  for (const part of told) {
    const { upstream } = part
    const hidden = listing.kind === 'tool' ? nameless(rooms, upstream) : []
    const items = itemsOf(part, listing).filter(({ own }) => !hidden.includes(own))
    for (const tool of hidden) {
      const refusal = refuse(gatewayRefusals.toolNameless, { names: { name: tool, server: upstream } })
      merged.absent.push(absentFor(upstream, refusal))
    }
    const more = items.reduce((sum, { text }) => sum + text.length, 0)
    const cursor = cursorOf(part)
    if (chars + more > mostChars || (cursor !== undefined && cursor.length > maxCursorChars)) {
      const refusal = refuse(gatewayRefusals.listTooLarge, { names: { server: upstream } })
      merged.absent.push(absentFor(upstream, refusal))
      continue
    }
    chars += more
    const listed = new Set(merged.items.map(({ name }) => name))
    merged.items.push(...items.filter(({ name }) => !listed.has(name) && listed.add(name)))
    if (cursor !== undefined) merged.positions.push({ upstream, cursor })
  }
  return merged
}

/** The positions that a request continues from; undefined for one from the beginning. */
function positionsIn({ seals }: ListRooms, { caller, message }: Gathering): readonly Position[] | 'none' | 'foreign' {
  const cursor = message.params?.['cursor']
  if (cursor === undefined) return 'none'
  if (typeof cursor !== 'string') return 'foreign'
  const holder = { principal: caller.principal, address: caller.serverName }
  return seals.openPositions(holder, message.method ?? '', cursor) ?? 'foreign'
}

export function isGatheredList(method: string | undefined): boolean {
  return method !== undefined && listings.has(method)
}

/** The text of a response that lists what the servers list. */
export async function gatherList(rooms: ListRooms, gathering: Gathering): Promise<string> {
  const { caller, message, request } = gathering
  const { id, method = '' } = message
  const listing = listings.get(method)
  if (listing === undefined) throw new Error(`${method} is no list`)
  const positions = positionsIn(rooms, gathering)
  if (positions === 'foreign') return jsonRpcError(id, errorCodes.invalidParams, 'no such position in this list')
  const { told, absent } = await askMembers(rooms, gathering, (upstream) => {
    if (positions === 'none') return {}
    const cursor = positions.find((position) => position.upstream === upstream)?.cursor
    return cursor === undefined ? undefined : { cursor }
  })
  const merged = merge(rooms, told, listing, request.maxAnswerBytes ?? Infinity)
  const missing = [...absent, ...merged.absent]
  const holder = { principal: caller.principal, address: caller.serverName }
  const next =
    merged.positions.length === 0 ? {} : { nextCursor: rooms.seals.sealPositions(holder, method, merged.positions) }
  const rest = JSON.stringify({
    resultType: 'complete',
    ttlMs: ttlOf(told, missing),
    cacheScope: 'private',
    ...next,
    _meta: { [metaKeys.serverInfo]: rooms.serverInfo, ...(missing.length === 0 ? {} : { [absentKey]: missing }) },
  })
  const list = `[${merged.items.map(({ text }) => text).join(',')}]`
  const result = `{${JSON.stringify(listing.member)}:${list},${rest.slice(1)}`
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`
}
