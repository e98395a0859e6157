/**
 * What may a cache between us and the client do with this answer?
 * Stops: an answer that was allowed to one person being served to another from a shared cache.
 * Trusts: nothing: whatever the upstream says about caching, the permission was given to the caller.
 * Fails: a text that cannot be edited is left as it is.
 * @see MCP 2026-07-28, caching
 */
import { applyEdits, memberEdit } from '#protocol'

/** The response with `cacheScope` set to private, every other character as it was. */
export function asPrivate(text: string): string {
  const edit = memberEdit(text, ['result'], 'cacheScope', '"private"')
  return edit === undefined ? text : applyEdits(text, [edit])
}
