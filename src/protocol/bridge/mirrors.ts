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
