/**
 * What in this definition does a person have to know before approving it?
 *
 * Stops: names that clients cannot carry, text that is not seen, references that somebody fetches, icons with odd schemes, schemas
 * that cost more than they say.
 * Trusts: nothing. Nothing is fetched, compiled or run; every value is visited once.
 * Fails: a definition beyond the bounds cannot be approved at all.
 * @see MCP 2026-07-28, tools: names, icons and JSON Schema; docs/decisions/0027
 */
import { isObject } from '#protocol'
import { mixedWord } from './confusables.ts'
import { findHiddenText } from './hidden-text.ts'
import { quote, reason, type Reason } from './reason.ts'
import { schemaProblem } from './schema-bounds.ts'

const maxIconChars = 64 * 1024
const maxFindings = 8

/** SPEC: MCP 2026-07-28, tools: 1 to 128 characters of these. */
export function isPassableName(tool: string): boolean {
  return /^[A-Za-z0-9_.-]{1,128}$/.test(tool)
}

/** One step of a JSON pointer. SPEC: RFC 6901, section 3. */
export function pointerStep(key: string | number): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** Values that are looked at: more than a schema may have, so that none of a definition that can be approved is left out. */
const maxVisited = 20_000

interface Walk {
  readonly found: Reason[]
  visited: number
  /** The names by which the schemas call their own parts. */
  readonly own: ReadonlySet<string>
}

function noteHidden(text: string, where: string, found: Reason[]): void {
  const hidden = findHiddenText(text)
  if (hidden === undefined || found.length >= maxFindings) return
  const spells = hidden.spells === '' ? '' : `; they spell "${quote(hidden.spells)}"`
  const counted = hidden.count === 1 ? '1 character that is' : `${hidden.count} characters that are`
  found.push(reason('hidden-text', `${where} holds ${counted} not seen${spells}`))
}

const referenceKeys = new Set(['$ref', '$dynamicRef', '$recursiveRef'])

function isOwn(reference: string, own: ReadonlySet<string>): boolean {
  return reference.startsWith('#') || own.has(reference.split('#', 1)[0] ?? '')
}

function noteReference(reference: string, where: string, { found, own }: Walk): void {
  if (isOwn(reference, own) || found.length >= maxFindings) return
  found.push(reason('remote-reference', `${where} refers to "${quote(reference)}", which whoever reads it may fetch`))
}

/** INVARIANT: definitions are at most as deep as the messages they come in, so this cannot run out of stack. */
function visit(value: unknown, where: string, walk: Walk): void {
  walk.visited += 1
  if (walk.visited > maxVisited || walk.found.length >= maxFindings) return
  if (typeof value === 'string') return noteHidden(value, where, walk.found)
  if (Array.isArray(value)) return value.forEach((item, index) => visit(item, where + pointerStep(index), walk))
  if (!isObject(value)) return
  for (const [key, member] of Object.entries(value)) {
    const place = where + pointerStep(quote(key))
    noteHidden(key, `the name of ${place}`, walk.found)
    if (referenceKeys.has(key) && typeof member === 'string') noteReference(member, place, walk)
    visit(member, place, walk)
  }
}

function collectIds(value: unknown, ids: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    if (key === '$id' && typeof member === 'string') ids.add(member)
    collectIds(member, ids)
  }
}

function iconProblem(source: unknown): string | undefined {
  if (typeof source !== 'string') return 'has no address'
  if (source.length > maxIconChars) return `is longer than ${maxIconChars} characters`
  if (/^data:image\//i.test(source)) return undefined
  const url = URL.parse(source)
  if (url === null) return `has the address "${quote(source)}", which is not a url`
  if (url.protocol !== 'https:')
    return `has the address "${quote(source)}", which is neither https nor an image in itself`
  return url.username === '' && url.password === '' ? undefined : 'has an address with credentials'
}

function noteIcons(icons: unknown, found: Reason[]): void {
  if (icons === undefined) return
  if (!Array.isArray(icons)) return void found.push(reason('icon', '/icons is not a list'))
  for (const [index, icon] of (icons as unknown[]).entries()) {
    const problem = iconProblem(isObject(icon) ? icon['src'] : undefined)
    if (problem !== undefined) return void found.push(reason('icon', `/icons/${index} ${problem}`))
  }
}

/** The titles that clients show instead of the name. */
export function titlesOf(definition: Record<string, unknown>): string[] {
  const { title, annotations } = definition
  return [title, isObject(annotations) ? annotations['title'] : undefined].filter((text) => typeof text === 'string')
}

function noteMixed(tool: string, definition: Record<string, unknown>, found: Reason[]): void {
  for (const text of [tool, ...titlesOf(definition)]) {
    const word = mixedWord(text)
    if (word === undefined) continue
    return void found.push(reason('mixed-scripts', `"${quote(word)}" is written in letters of several scripts`))
  }
}

/** Whether a definition holds nothing that has to be looked for value by value: unseen characters and references. */
function isPlain(text: string): boolean {
  return !/[^ -~]|\\u|"\$(?:ref|dynamicRef|recursiveRef)"/.test(text)
}

function noteValues(definition: Record<string, unknown>, found: Reason[]): void {
  const own = new Set<string>()
  collectIds(definition['inputSchema'], own)
  collectIds(definition['outputSchema'], own)
  const walk: Walk = { found: [], visited: 0, own }
  visit(definition, '', walk)
  if (walk.visited > maxVisited) found.push(reason('too-large', `the definition has more than ${maxVisited} values`))
  found.push(...walk.found)
}

/** What a definition says, in both forms. */
interface Examined {
  readonly tool: string
  /** At most `maxDefinitionBytes` of canonical JSON, `maxJsonDepth` deep. */
  readonly definition: Record<string, unknown>
  /** The same as canonical JSON. */
  readonly text: string
}

/** What a definition by itself gives reason for, whatever else is approved. */
export function examine({ tool, definition, text }: Examined): Reason[] {
  const found: Reason[] = []
  if (!isPassableName(tool)) {
    found.push(reason('name', 'the name is not 1 to 128 letters, digits, underscores, hyphens and dots'))
  }
  const problem = schemaProblem(definition['inputSchema']) ?? schemaProblem(definition['outputSchema'])
  if (problem !== undefined) found.push(reason('too-large', problem))
  noteIcons(definition['icons'], found)
  noteMixed(tool, definition, found)
  if (!isPlain(text)) noteValues(definition, found)
  return found
}
