/**
 * Do the headers that mirror arguments say what the arguments say?
 * Stops: a call that is routed or limited by one value and carried out with another.
 * Trusts: the approved definition for which arguments are mirrored, never the definition of the moment.
 * Fails: a mirror that is missing, differs or cannot be decoded is refused with the protocol's own code.
 * @see MCP 2026-07-28, Streamable HTTP, x-mcp-header
 */
import type { Refusal } from '#kernel'
import {
  decodeHeaderValue,
  errorCodes,
  hasLookAlike,
  isObject,
  knownNames,
  type KnownNames,
  mirrorsOf as mirroredBy,
} from '#protocol'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { messageRefusal } from '../refusals.ts'
import type { Pins } from './match-pinned-tool.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

interface Mirror {
  /** Lower-case field name. */
  readonly header: string
  /** Members from the arguments down to the value. */
  readonly path: readonly { readonly name: string; readonly names: KnownNames }[]
}

const known = new WeakMap<object, readonly Mirror[]>()

function mirrorsOf(definition: Record<string, unknown>): readonly Mirror[] {
  const named = (name: string) => ({ name, names: knownNames(name) })
  const found =
    known.get(definition) ??
    mirroredBy(definition['inputSchema']).map(({ header, path }) => ({ header, path: path.map(named) }))
  known.set(definition, found)
  return found
}

/** The value that is mirrored; `misread` when another reader could find another one. */
function valueAt(root: unknown, path: Mirror['path']): unknown {
  let value = root
  for (const { name, names } of path) {
    if (isObject(value) && hasLookAlike(value, names)) return misread
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
  return value
}

const misread = Symbol('misread')
const integer = /^-?(?:0|[1-9]\d*)(?:\.0+)?$/

/** SPEC: integers compare as numbers, booleans are lower case, texts are equal to the letter. */
function isMirrored(value: unknown, header: string | undefined): boolean {
  if (value === undefined || value === null) return header === undefined
  const decoded = header === undefined ? undefined : decodeHeaderValue(header)
  if (decoded === undefined) return false
  if (typeof value === 'number') return integer.test(decoded) && Number(decoded) === value
  return typeof value === 'boolean' ? decoded === String(value) : decoded === value
}

/** A header that some servers take for the mirror, because they know no difference between `-` and `_`. */
function strayOf(mirrors: readonly Mirror[], headers: Arrival['headers']): string | undefined {
  const folded = new Set(mirrors.map(({ header }) => header.replaceAll('_', '-')))
  const exact = new Set(mirrors.map(({ header }) => header))
  return Object.keys(headers).find((name) => !exact.has(name) && folded.has(name.replaceAll('_', '-')))
}

function differs(header: string): Refusal {
  const problem = `the header \`${header}\` differs from the argument that it mirrors`
  return messageRefusal(problem, { status: 400, code: errorCodes.headerMismatch })
}

export function validateMirrors(pins: Pins): Guard<Arrival & Inbound & Aim, {}> {
  return {
    name: 'validate-mirrors',
    check({ era, target, message, headers }) {
      if (target.kind !== 'tool') return {}
      const definition = pins.find(target.upstream, target.name ?? '')?.approvedDefinition
      const mirrors = definition === undefined ? [] : mirrorsOf(definition)
      if (mirrors.length === 0) return {}
      const given = message?.params?.['arguments']
      const wrong = mirrors.find(({ header, path }) => {
        const sent = headerOf(headers, header)
        // SPEC: before 2026-07-28 the headers are not asked for; whoever reads one must not be told something else.
        if (era === 'legacy' && sent === undefined) return false
        return !isMirrored(valueAt(given, path), sent)
      })
      const header = wrong?.header ?? strayOf(mirrors, headers)
      return header === undefined ? {} : differs(header)
    },
  }
}
