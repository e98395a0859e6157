import { applyEdits, memberSpans, spanOf } from '../json/edit-text.ts'
import { jsonCode } from '../json/strict-json.ts'

/**
 * The text without some members of the object at `path`; those that stay are written as they were. A text without that
 * object, or with none of the members, comes back unchanged.
 */
export function withoutMembers(text: string, path: readonly string[], isDropped: (name: string) => boolean): string {
  const span = spanOf(text, path)
  if (span === undefined || text.charCodeAt(span[0]) !== jsonCode.open) return text
  const members = memberSpans(text, span)
  const kept = members.filter(({ name }) => !isDropped(name))
  if (kept.length === members.length) return text
  const inside = kept.map(({ key, value }) => text.slice(key[0], value[1])).join(',')
  return applyEdits(text, [{ span, text: `{${inside}}` }])
}

/** `withoutMembers` for the object `holder._meta`, which goes as a whole when nothing is left in it. */
export function withoutMeta(text: string, holder: 'params' | 'result', isDropped: (name: string) => boolean): string {
  const edited = withoutMembers(text, [holder, '_meta'], isDropped)
  const span = edited === text ? undefined : spanOf(edited, [holder, '_meta'])
  if (span === undefined || edited.slice(...span) !== '{}') return edited
  return withoutMembers(edited, [holder], (name) => name === '_meta')
}
