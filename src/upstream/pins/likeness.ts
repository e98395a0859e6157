/**
 * Which approved tool could this one be taken for?
 *
 * Stops: tools that stand in for another one, of their own upstream or of any other: agents see them side by side.
 * Trusts: the approved definitions; nothing in the one that is judged.
 * Fails: a likeness that the skeleton does not see is not found; the tool still needs its own approval.
 * @see docs/decisions/0027
 */
import canonicalize from 'canonicalize'
import { joinName } from '../shared-names.ts'
import { plainly, skeleton } from './confusables.ts'
import { titlesOf } from './examine.ts'
import { quote, reason, type Reason } from './reason.ts'

/** A tool that is approved, or about to be. */
export interface KnownTool {
  readonly upstream: string
  readonly tool: string
  readonly definition: Record<string, unknown>
}

/** Approved tools, prepared for finding those that another one could be taken for. */
export interface KnownTools {
  /** By each skeleton that a tool may be taken by: of its name, of its name at `/mcp`, of its titles. */
  readonly bySkeleton: ReadonlyMap<string, readonly KnownTool[]>
  readonly byName: ReadonlyMap<string, readonly KnownTool[]>
  /** By what it says and takes, for each upstream. */
  readonly byBody: ReadonlyMap<string, readonly KnownTool[]>
  /** The skeleton of each name. */
  readonly skeletons: ReadonlyMap<KnownTool, string>
}

const maxReasons = 8
/** Of tools that have one skeleton, name or body: more than are told are not looked at. */
const maxAlike = 16
const longestTitleChars = 1_000

function titles(definition: Record<string, unknown>): string[] {
  return titlesOf(definition).map((title) => title.slice(0, longestTitleChars))
}

/** What a tool says and takes, whatever it is called; undefined when that is too little to know it by. */
function bodyOf({ upstream, definition: { description, inputSchema } }: KnownTool): string | undefined {
  if (typeof description !== 'string' || description === '') return undefined
  return `${upstream}\n${canonicalize(inputSchema ?? null) ?? ''}\n${description}`
}

export function knowTools(tools: Iterable<KnownTool>): KnownTools {
  const bySkeleton = new Map<string, KnownTool[]>()
  const byName = new Map<string, KnownTool[]>()
  const byBody = new Map<string, KnownTool[]>()
  const skeletons = new Map<KnownTool, string>()
  const put = (map: Map<string, KnownTool[]>, key: string, tool: KnownTool) => {
    const there = map.get(key)
    if (there === undefined) map.set(key, [tool])
    else if (there.length < maxAlike && !there.includes(tool)) there.push(tool)
  }
  for (const known of tools) {
    skeletons.set(known, skeleton(known.tool))
    put(byName, known.tool, known)
    put(byBody, bodyOf(known) ?? '', known)
    for (const text of [known.tool, joinName(known.upstream, known.tool), ...titles(known.definition)]) {
      put(bySkeleton, skeleton(text), known)
    }
  }
  return { bySkeleton, byName, byBody, skeletons }
}

const placeOf = ({ upstream, tool }: KnownTool): string => `${upstream}/${tool}`

function isSame(one: KnownTool, other: KnownTool): boolean {
  return one.upstream === other.upstream && one.tool === other.tool
}

function nameReason(candidate: KnownTool, other: KnownTool): Reason {
  const of = placeOf(other)
  if (candidate.tool === other.tool) {
    return reason('same-name', `there is a tool of this name at ${other.upstream} too`, of)
  }
  return reason('looks-like', `the name can be taken for ${of}`, of)
}

/** A title is a disguise when it looks like another tool's name or title, and is not plainly the same. */
function isDisguise(title: string, other: KnownTool): boolean {
  const plain = plainly(title)
  return ![other.tool, ...titles(other.definition)].some((text) => plainly(text) === plain)
}

/** The word without the full stops and hyphens around it. */
function withoutDots(word: string): string {
  let [start, end] = [0, word.length]
  while (start < end && '.-'.includes(word.charAt(start))) start += 1
  while (end > start && '.-'.includes(word.charAt(end - 1))) end -= 1
  return word.slice(start, end)
}

/** Names that stand in a text by chance: short ones, and plain words. */
function isTelling(word: string): boolean {
  return word.length >= 6 && /[_.-]|[a-z][A-Z]/.test(word)
}

function mentioned(candidate: KnownTool, { byName }: KnownTools): Reason[] {
  const { description } = candidate.definition
  if (typeof description !== 'string') return []
  const words = new Set(description.match(/[A-Za-z0-9_.-]+/g)?.map(withoutDots))
  return [...words].filter(isTelling).flatMap((word) => {
    const others = (byName.get(word) ?? []).filter((other) => other.upstream !== candidate.upstream)
    return others.map((other) =>
      reason('mentions', `the description speaks of ${placeOf(other)}, another server's tool`, placeOf(other)),
    )
  })
}

function alikes(candidate: KnownTool, { bySkeleton, skeletons }: KnownTools): Reason[] {
  const own = skeleton(candidate.tool)
  // WHY: a server may well call its tools by its own name; only the name of another one's tool is a disguise.
  const isOwnPrefix = (other: KnownTool) => candidate.upstream === other.upstream && skeletons.get(other) !== own
  const named = [own, skeleton(joinName(candidate.upstream, candidate.tool))].flatMap(
    (name) => bySkeleton.get(name) ?? [],
  )
  return [
    ...named
      .filter((other) => !isSame(candidate, other) && !isOwnPrefix(other))
      .map((other) => nameReason(candidate, other)),
    ...titles(candidate.definition).flatMap((title) =>
      (bySkeleton.get(skeleton(title)) ?? [])
        .filter((other) => !isSame(candidate, other) && isDisguise(title, other))
        .map((other) =>
          reason('looks-like', `the title "${quote(title)}" can be taken for ${placeOf(other)}`, placeOf(other)),
        ),
    ),
  ]
}

function renamed(candidate: KnownTool, { byBody }: KnownTools): Reason[] {
  const body = bodyOf(candidate)
  const others = body === undefined ? [] : (byBody.get(body) ?? [])
  return others
    .filter((other) => !isSame(candidate, other))
    .map((other) => reason('renamed-from', `it says and takes the same as ${placeOf(other)}`, placeOf(other)))
}

/** Why a tool could be taken for others, and which of its own upstream it was before. */
export function likenessOf(candidate: KnownTool, known: KnownTools): Reason[] {
  const found = [...alikes(candidate, known), ...renamed(candidate, known), ...mentioned(candidate, known)]
  const byKey = new Map(found.toReversed().map((one) => [one.key, one] as const))
  return [...byKey.values()].toReversed().slice(0, maxReasons)
}
