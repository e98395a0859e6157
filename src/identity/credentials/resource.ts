/**
 * Are these two the same resource? Compared as URLs in one spelling, with or without one slash at the end.
 * Stops a token for one endpoint from working on another. Trusts the URL parser for case, ports and dot segments.
 * Fails by not being a resource.
 * @see RFC 8707, section 2; RFC 9728, section 1.2
 */

const longestResourceChars = 2048

/** The one spelling of a resource, without the slash at its end; undefined for what cannot be one. */
export function canonicalResource(typed: string): string | undefined {
  if (typed.length > longestResourceChars || !URL.canParse(typed)) return undefined
  const url = new URL(typed)
  const isPlain = url.username === '' && url.password === '' && !typed.includes('?') && !typed.includes('#')
  if (!isPlain || !['http:', 'https:'].includes(url.protocol)) return undefined
  return url.origin + url.pathname.replace(/\/$/, '')
}

/** @param canonical as `canonicalResource` made it */
export function isSameResource(canonical: string, presented: string): boolean {
  return canonical === presented || canonical === canonicalResource(presented)
}
