import { applyEdits, memberEdit } from './json/edit-text.ts'

/**
 * The response with `cacheScope` set to private, every other character as it was: what was allowed to one person is not
 * served to another from a shared cache, whatever the upstream says about it. A text that cannot be edited is left as it
 * is. SPEC: MCP 2026-07-28, caching.
 */
export function asPrivate(text: string): string {
  const edit = memberEdit(text, ['result'], 'cacheScope', '"private"')
  return edit === undefined ? text : applyEdits(text, [edit])
}
