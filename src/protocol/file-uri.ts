/** WHY: parsers of URLs drop controls and spaces before and inside a scheme, and take it in any case (WHATWG URL, 4.4). */
const dropped = /[\u0000-\u0020]/g
/** Schemes can be stacked, as in `jar:file:` and `view-source:file:`. */
const fileScheme = /^(?:[a-z][a-z0-9+.-]{0,31}:){0,4}file:/i
const longestSchemes = 256

/** What is no URI at all but a place in a file system: `/etc/passwd`, `../x`, `~/x`, `C:\x`, `\\host\x`. */
const path = /^(?:[/\\.~]|[a-z]:[/\\])/i
/** The scheme is a variable, or there is none before the first one. */
const anyScheme = /^[^:/?#]*\{/

/** Whether a URI, or a template of one, names files of a machine (RFC 8089). A template that could become one does. */
export function isFileUri(uri: string): boolean {
  const start = uri.replace(dropped, '').slice(0, longestSchemes)
  return fileScheme.test(start) || path.test(start) || anyScheme.test(start)
}
