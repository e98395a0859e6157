/**
 * What in this definition does a person have to know before approving it?
 *
 * Stops: names that clients cannot carry, text that is not seen, references that somebody fetches, icons with odd schemes, schemas
 * that cost more than they say.
 * Trusts: nothing. Nothing is fetched, compiled or run; every value is visited once.
 * Fails: a definition beyond the bounds cannot be approved at all.
 * @see MCP 2026-07-28, tools: names, icons and JSON Schema; docs/decisions/0027
 */
import { isObject, mirrorProblem } from '#protocol'
import { mixedWord } from './confusables.ts'
import { findHiddenText } from './hidden-text.ts'
import { iconProblem, scriptableIcon } from './icons.ts'
import { quote, reason, type Reason } from './reason.ts'
import { schemaProblem } from './schema-bounds.ts'

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
  /** The names by which the schema that is visited calls its own parts; none outside of schemas. */
  own: ReadonlySet<string>
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

/** What a schema may say it is written in: every reader knows these without asking anybody. */
const dialect = /^https?:\/\/json-schema\.org\/(?:draft-0[4-7]\/|draft\/20(?:19-09|20-12)\/)?schema#?$/

function noteDialect(name: string, where: string, found: Reason[]): void {
  if (dialect.test(name) || found.length >= maxFindings) return
  found.push(
    reason('remote-reference', `${where} names the dialect "${quote(name)}", which whoever reads it may fetch`),
  )
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
    if (key === '$schema' && typeof member === 'string') noteDialect(member, place, walk.found)
    visit(member, place, walk)
  }
}

/**
 * What a schema calls itself and the parts it keeps for reference. WHY: elsewhere, in an example or a member nobody
 * knows, `$id` names nothing, and a reader would fetch what refers to it.
 */
function ownIds(schema: unknown): ReadonlySet<string> {
  const ids = new Set<string>()
  if (!isObject(schema)) return ids
  const kept = [schema['$defs'], schema['definitions']].flatMap((parts) =>
    isObject(parts) ? Object.values(parts) : [],
  )
  for (const part of [schema, ...kept]) {
    const id = isObject(part) ? part['$id'] : undefined
    if (typeof id === 'string') ids.add(id)
  }
  return ids
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

/** Whether a definition holds nothing that has to be looked for value by value: unseen characters, references, dialects. */
function isPlain(text: string): boolean {
  return !/[^ -~]|\\u|"\$(?:ref|dynamicRef|recursiveRef|schema)"/.test(text)
}

function noteValues(definition: Record<string, unknown>, found: Reason[]): void {
  const walk: Walk = { found: [], visited: 0, own: new Set() }
  const { inputSchema, outputSchema, ...rest } = definition
  visit(rest, '', walk)
  for (const [name, schema] of Object.entries({ inputSchema, outputSchema })) {
    walk.own = ownIds(schema)
    visit(schema, pointerStep(name), walk)
  }
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
  const mirrored = text.includes('"x-mcp-header"') ? mirrorProblem(definition['inputSchema']) : undefined
  if (mirrored !== undefined) found.push(reason('mirrored-header', mirrored))
  const icon = iconProblem(definition['icons']) ?? scriptableIcon(definition['icons'])
  if (icon !== undefined) found.push(reason('icon', icon))
  noteMixed(tool, definition, found)
  if (!isPlain(text)) noteValues(definition, found)
  return found
}
