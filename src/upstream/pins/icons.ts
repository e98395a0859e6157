/**
 * May this icon be shown?
 *
 * Stops: addresses that run, read files of the reader or tell credentials when somebody draws what they point at.
 * Trusts: nothing. Nothing is fetched.
 * Fails: what cannot be read is not shown.
 * @see MCP 2025-11-25, icons: clients take `https:` and `data:` only
 */
import { applyEdits, isObject, memberEdit } from '#protocol'
import { quote } from './reason.ts'

const maxIconChars = 64 * 1024

function addressProblem(source: unknown): string | undefined {
  if (typeof source !== 'string') return 'has no address'
  if (source.length > maxIconChars) return `is longer than ${maxIconChars} characters`
  if (/^data:image\//i.test(source)) return undefined
  const url = URL.parse(source)
  if (url === null) return `has the address "${quote(source)}", which is not a url`
  if (url.protocol !== 'https:')
    return `has the address "${quote(source)}", which is neither https nor an image in itself`
  return url.username === '' && url.password === '' ? undefined : 'has an address with credentials'
}

/** What is wrong with the first icon that must not be shown; undefined when there is none. */
export function iconProblem(icons: unknown): string | undefined {
  if (icons === undefined) return undefined
  if (!Array.isArray(icons)) return '/icons is not a list'
  for (const [index, icon] of (icons as unknown[]).entries()) {
    const problem = addressProblem(isObject(icon) ? icon['src'] : undefined)
    if (problem !== undefined) return `/icons/${index} ${problem}`
  }
  return undefined
}

/** The first icon that is text of its server and may run: an SVG holds scripts, and some readers run them. */
export function scriptableIcon(icons: unknown): string | undefined {
  if (!Array.isArray(icons)) return undefined
  const at = icons.findIndex((icon) => isObject(icon) && /^data:image\/svg/i.test(String(icon['src'])))
  return at === -1 ? undefined : `/icons/${at} is an image that can hold scripts`
}

/**
 * A listed thing as its server wrote it, without any icon if one of them must not be shown.
 * @param text the item as it is written
 * @param item the same, read
 */
export function withoutUnsafeIcons(text: string, item: unknown): string {
  if (!isObject(item) || iconProblem(item['icons']) === undefined) return text
  const edit = memberEdit(text, [], 'icons', '[]')
  return edit === undefined ? text : applyEdits(text, [edit])
}
