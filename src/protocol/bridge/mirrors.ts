import { encodeHeaderValue } from '../header-value.ts'
import { isObject, type Message } from '../message.ts'
import { modernRevision } from './modern-request.ts'

/** An argument of a tool that a header repeats. */
export interface Mirror {
  /** Lower-case field name. */
  readonly header: string
  /** Member names from the arguments down to the value. */
  readonly path: readonly string[]
}

const mirrorable: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'])
const maxDepth = 16
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i

function mirrorsIn(schema: unknown, path: readonly string[]): Mirror[] {
  const properties = isObject(schema) ? schema['properties'] : undefined
  if (!isObject(properties) || path.length >= maxDepth) return []
  return Object.entries(properties).flatMap(([name, property]) => {
    const at = [...path, name]
    const below = mirrorsIn(property, at)
    const header = isObject(property) && mirrorable.has(property['type']) ? property['x-mcp-header'] : undefined
    if (typeof header !== 'string' || !token.test(header)) return below
    return [{ header: `mcp-param-${header.toLowerCase()}`, path: at }, ...below]
  })
}

/** The arguments that a tool's schema annotates with `x-mcp-header`. SPEC: MCP 2026-07-28, Streamable HTTP. */
export function mirrorsOf(inputSchema: unknown): readonly Mirror[] {
  return mirrorsIn(inputSchema, [])
}

/** Keywords other than `properties` below which there are schemas: one, a list of them, or a map of them. */
const oneOrMany = ['items', 'prefixItems', 'contains', 'additionalProperties', 'oneOf', 'anyOf', 'allOf', 'not']
const conditional = ['if', 'then', 'else', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties']
const maps = ['$defs', 'definitions', 'patternProperties', 'dependentSchemas']

const membersOf = (value: unknown): readonly unknown[] => (isObject(value) ? Object.values(value) : [])

function elsewhere(schema: Record<string, unknown>): readonly unknown[] {
  const direct: unknown[] = [...oneOrMany, ...conditional].flatMap((keyword) => schema[keyword] ?? [])
  return [...direct, ...maps.flatMap((keyword) => membersOf(schema[keyword]))]
}

function isAnnotatedWithin(schema: unknown, depth = 0): boolean {
  if (!isObject(schema) || depth > maxDepth) return false
  if (schema['x-mcp-header'] !== undefined) return true
  return [...membersOf(schema['properties']), ...elsewhere(schema)].some((below) => isAnnotatedWithin(below, depth + 1))
}

function problemIn(schema: unknown, headers: Set<string>, depth = 0): string | undefined {
  if (!isObject(schema) || depth > maxDepth) return undefined
  const header = schema['x-mcp-header']
  if (header !== undefined) {
    if (typeof header !== 'string' || !token.test(header)) return 'a header has a name that no header can have'
    if (!mirrorable.has(schema['type'])) return `the header ${header} repeats what is no text, integer or boolean`
    if (headers.has(header.toLowerCase())) return `two arguments share the header ${header}`
    headers.add(header.toLowerCase())
  }
  if (elsewhere(schema).some((below) => isAnnotatedWithin(below))) return 'a header repeats what is not always there'
  for (const property of membersOf(schema['properties'])) {
    const problem = problemIn(property, headers, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}

/**
 * Why clients have to refuse a tool with these annotations; undefined when they need not. SPEC: MCP 2026-07-28, Streamable
 * HTTP, `x-mcp-header`: a token, unique whatever its case, on a text, an integer or a boolean that `properties` alone lead to.
 */
export function mirrorProblem(inputSchema: unknown): string | undefined {
  return problemIn(inputSchema, new Set())
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const name of path) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value
}

function headerValue(value: unknown): string | undefined {
  if (typeof value === 'string') return encodeHeaderValue(value)
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  return undefined
}

const named = new Set(['tools/call', 'prompts/get', 'resources/read'])

/**
 * The headers that repeat what the body of a request of 2026-07-28 says. An argument
 * that is absent, null or of another type has no header. SPEC: MCP 2026-07-28, Streamable HTTP, mirrored headers.
 */
export function mirroredHeaders(message: Message, mirrors: readonly Mirror[] = []): Record<string, string> {
  const { method = '', name, params } = message
  const headers: Record<string, string> = { 'mcp-protocol-version': modernRevision, 'mcp-method': method }
  if (named.has(method) && name !== undefined) headers['mcp-name'] = encodeHeaderValue(name)
  for (const { header, path } of mirrors) {
    const value = headerValue(valueAt(params?.['arguments'], path))
    if (value !== undefined) headers[header] = value
  }
  return headers
}
