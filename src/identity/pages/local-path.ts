/**
 * Where may a page lead after it did its work? To a path of this Castellan, and nowhere else.
 * Stops: open redirects, by other origins, other schemes, or what a browser takes for one (`//`, `/\`, tabs and line ends).
 * Trusts: the URL parser that browsers and Node share in the specification.
 * Fails: what is not plainly a local path is left out.
 * @see OWASP ASVS 3.7.2; WHATWG URL, section 4.4
 */

const longestChars = 2048
const plain = /^\/(?![/\\])[\u0021-\u005b\u005d-\u007e]*$/
/** An origin that nothing has; only what stays on it is local. */
const nowhere = 'http://local.invalid'

/** The path with its query, in the URL parser's spelling; undefined for what leads elsewhere. */
export function readLocalPath(given: string | null | undefined): string | undefined {
  if (given === null || given === undefined || given.length > longestChars || !plain.test(given)) return undefined
  if (!URL.canParse(given, nowhere)) return undefined
  const { origin, pathname, search } = new URL(given, nowhere)
  // WHY: dot segments can leave two slashes at the front, which is another host to a browser.
  return origin === nowhere && !pathname.startsWith('//') ? pathname + search : undefined
}
