/**
 * What do a tool's own annotations make one think of it? Shown to whoever classifies it, and used by nobody else.
 *
 * Stops: nothing; a tool may say of itself what it likes.
 * Trusts: nothing; what is not said counts as the worst.
 * Fails: what cannot be read is not said.
 * @see MCP, ToolAnnotations: hints of a server that need not be true
 */
import { type Classification, unclassified } from '#kernel'
import { isObject } from '#protocol'

function effectOf(hints: Readonly<Record<string, unknown>>): Classification['effect'] {
  if (hints['readOnlyHint'] === true) return 'read'
  return hints['destructiveHint'] === false ? 'write' : 'execute'
}

/** @param definition the tool as its server lists it */
export function suggestClassification(definition: unknown): Classification {
  const annotations = isObject(definition) ? definition['annotations'] : undefined
  if (!isObject(annotations)) return unclassified
  const isClosed = annotations['openWorldHint'] === false
  return {
    ...unclassified,
    effect: effectOf(annotations),
    bringsUntrusted: !isClosed,
    // WHY: what only reads still sends its arguments to an open world.
    isOutlet: !isClosed,
  }
}
