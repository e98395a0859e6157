import { applyEdits, elementSpans, spanOf } from '../json/edit-text.ts'
import { readJson } from '../json/escaped-keys.ts'
import { isObject } from '../message.ts'
import { withoutMembers } from './without-members.ts'

/** Members of a schema's root that what is below refers to from the root. */
const ofTheRoot = new Set(['$schema', '$defs', 'definitions'])
/** With one of these a schema that is put below another one means something else. */
const unmovable = new Set(['$id', '$anchor', '$dynamicRef', '$dynamicAnchor', '$recursiveRef', '$recursiveAnchor'])

/** Whether a schema means the same one level deeper, when its root's definitions stay at the root. */
function isMovable(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isMovable)
  if (!isObject(schema)) return true
  return Object.entries(schema).every(([name, value]) => {
    if (unmovable.has(name)) return false
    if (name !== '$ref' || typeof value !== 'string' || !value.startsWith('#')) return isMovable(value)
    return value.startsWith('#/$defs/') || value.startsWith('#/definitions/')
  })
}

/** Whether everything that a schema allows is of a kind that is no object, so that it is always put into one. */
function neverObject({ type }: Record<string, unknown>): boolean {
  const types: unknown[] = Array.isArray(type) ? type : [type]
  return type !== undefined && types.length > 0 && types.every((one) => one !== 'object')
}

function wrapped(text: string, schema: Record<string, unknown>): string {
  const kept = Object.keys(schema).flatMap((name) => {
    const span = ofTheRoot.has(name) ? spanOf(text, [name]) : undefined
    return span === undefined ? [] : [`${JSON.stringify(name)}:${text.slice(...span)}`]
  })
  const inner = withoutMembers(text, [], (name) => ofTheRoot.has(name))
  return `{${[`"type":"object"`, `"properties":{"result":${inner}}`, `"required":["result"]`, ...kept].join(',')}}`
}

/**
 * A tool's definition as revisions up to 2025-11-25 have it: the schema of what it gives is that of an object. One of
 * something else is wrapped as the content itself is; one that cannot be wrapped goes. The rest stays as it was written.
 * SPEC: MCP 2025-11-25, tools, output schema.
 * @param text of one tool
 */
export function legacyDefinition(text: string): string {
  const tool = readJson(text).value
  const schema = isObject(tool) ? tool['outputSchema'] : undefined
  if (schema === undefined || (isObject(schema) && schema['type'] === 'object')) return text
  const span = spanOf(text, ['outputSchema'])
  if (span === undefined || !isObject(schema) || !neverObject(schema) || !isMovable(schema)) {
    return withoutMembers(text, [], (name) => name === 'outputSchema')
  }
  return applyEdits(text, [{ span, text: wrapped(text.slice(...span), schema) }])
}

/** A response to `tools/list` with each tool as `legacyDefinition` has it. */
export function legacyDefinitions(text: string): string {
  const list = spanOf(text, ['result', 'tools'])
  if (list === undefined || !text.startsWith('[', list[0]) || !text.includes('outputSchema')) return text
  return applyEdits(
    text,
    elementSpans(text, list).map((span) => ({ span, text: legacyDefinition(text.slice(...span)) })),
  )
}
