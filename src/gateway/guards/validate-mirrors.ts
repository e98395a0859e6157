/**
 * Do the headers that mirror arguments say what the arguments say?
 * Stops: a call that is routed or limited by one value and carried out with another.
 * Trusts: the approved definition for which arguments are mirrored, never the definition of the moment.
 * Fails: a mirror that is missing, differs or cannot be decoded is refused with the protocol's own code.
 * @see MCP 2026-07-28, Streamable HTTP, x-mcp-header
 */
import { refuse, type Refusal } from '#kernel'
import { decodeHeaderValue, errorCodes, isObject } from '#protocol'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals, onTheWire } from '../refusals.ts'
import type { Pins } from './match-pinned-tool.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

interface Mirror {
  /** Lower-case field name. */
  readonly header: string
  /** Members from the arguments down to the value. */
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

const known = new WeakMap<object, readonly Mirror[]>()

function mirrorsOf(definition: Record<string, unknown>): readonly Mirror[] {
  const found = known.get(definition) ?? mirrorsIn(definition['inputSchema'], [])
  known.set(definition, found)
  return found
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root
  for (const name of path) value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value
}

/** SPEC: integers compare as numbers, booleans are lower case, texts are equal to the letter. */
function isMirrored(value: unknown, header: string | undefined): boolean {
  if (value === undefined || value === null) return header === undefined
  const decoded = header === undefined ? undefined : decodeHeaderValue(header)
  if (decoded === undefined) return false
  if (typeof value === 'number') return /^-?\d+(\.0+)?$/.test(decoded) && Number(decoded) === value
  return typeof value === 'boolean' ? decoded === String(value) : decoded === value
}

function differs(header: string): Refusal {
  const problem = `the header \`${header}\` differs from the argument that it mirrors`
  const refusal = refuse(gatewayRefusals.messageRefused, { names: { problem }, detail: { problem } })
  return onTheWire(refusal, { status: 400, code: errorCodes.headerMismatch })
}

export function validateMirrors(pins: Pins): Guard<Arrival & Inbound & Aim, {}> {
  return {
    name: 'validate-mirrors',
    check({ era, target, message, headers }) {
      if (era === 'legacy' || target.kind !== 'tool') return {}
      const definition = pins.find(target.upstream, target.name ?? '')?.approvedDefinition
      if (definition === undefined) return {}
      const wrong = mirrorsOf(definition).find(
        ({ header, path }) => !isMirrored(valueAt(message?.params?.['arguments'], path), headerOf(headers, header)),
      )
      return wrong === undefined ? {} : differs(wrong.header)
    },
  }
}
