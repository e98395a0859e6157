/**
 * What is a tool called where several servers answer together?
 *
 * Stops: two tools answering to one name, and names that clients cut off or refuse.
 * Trusts: names of upstreams to hold no underscore, as `check-record.ts` sees to.
 * Fails: a tool whose name is not unambiguous has none; an upstream whose name leaves its tools too little is refused.
 * @see docs/decisions/0025-several-servers-at-one-address.md
 */
import { createHash } from 'node:crypto'
import { refuse, type Refusal } from '#kernel'
import { upstreamRefusals } from './refusals.ts'

/** Longest name that every known client takes. */
export const maxSharedNameChars = 60
const separator = '__'
/** Of a tool's own name in its short form; fewer where the upstream's name leaves less. */
const mostOwnChars = 40
/** With fewer, the short forms of two tools could not be told apart by their reader. */
const leastOwnChars = 24
const digestChars = 6
const shortTailChars = 1 + digestChars

/** An upstream's name and what is called by it there, joined. */
export function joinName(upstream: string, own: string): string {
  return `${upstream}${separator}${own}`
}

/** A joined name in its two parts, at the first separator; undefined when it has none, or nothing on one side. */
export function splitName(joined: string): { readonly upstream: string; readonly own: string } | undefined {
  const at = joined.indexOf(separator)
  if (at < 1 || at + separator.length === joined.length) return undefined
  return { upstream: joined.slice(0, at), own: joined.slice(at + separator.length) }
}

function shortForm(upstream: string, tool: string): string {
  const room = maxSharedNameChars - upstream.length - separator.length - shortTailChars
  const digest = createHash('sha256').update(tool).digest('hex').slice(0, digestChars)
  return joinName(upstream, `${tool.slice(0, Math.min(mostOwnChars, room))}_${digest}`)
}

/** A tool's name among those of several servers: both names joined, or the short form where that is too long. */
export function sharedToolName(upstream: string, tool: string): string {
  const joined = joinName(upstream, tool)
  return joined.length <= maxSharedNameChars ? joined : shortForm(upstream, tool)
}

/**
 * The tool of an upstream that a name stands for. A name that is a tool's own comes first; a short form stands for the one
 * tool that has it.
 * @param tools names of all its approved tools
 * @returns undefined when it stands for none, or for several
 */
export function toolBySharedName(joined: string, upstream: string, tools: readonly string[]): string | undefined {
  const bearers = tools.filter((tool) => sharedToolName(upstream, tool) === joined)
  const exact = bearers.find((tool) => joinName(upstream, tool) === joined)
  return exact ?? (bearers.length === 1 ? bearers[0] : undefined)
}

/** Why an upstream cannot have this name: the length its tools' short forms would need; undefined when they fit. */
export function nameRoomRefusal(name: string): Refusal | undefined {
  const needed = name.length + separator.length + leastOwnChars + shortTailChars
  if (needed <= maxSharedNameChars) return undefined
  const names = { name, needed: String(needed), most: String(maxSharedNameChars) }
  return refuse(upstreamRefusals.nameLeavesNoRoom, { names, detail: { needed } })
}
