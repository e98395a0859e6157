/**
 * By which URI is a server's resource known where several servers answer?
 * Stops: two servers answering to one URI.
 * Trusts: names of upstreams to hold neither `+` nor `/`, as the catalog sees to.
 * Fails: a URI that names no server stands for nothing.
 * @see docs/decisions/0025-several-servers-at-one-address.md
 */

/** SPEC: MCP Apps: a client knows a user interface by this scheme. */
const interfaceScheme = 'ui://'

/**
 * `file:///a` of `notes` is `notes+file:///a`, and `ui://board` is `ui://notes/board`: every character of the server's own
 * URI, or template of URIs, is kept.
 */
export function shareUri(upstream: string, uri: string): string {
  if (!uri.startsWith(interfaceScheme)) return `${upstream}+${uri}`
  return `${interfaceScheme}${upstream}/${uri.slice(interfaceScheme.length)}`
}

/** The server and its own URI; undefined when the URI names no server. */
export function splitUri(shared: string): { readonly upstream: string; readonly own: string } | undefined {
  const isInterface = shared.startsWith(interfaceScheme)
  const rest = isInterface ? shared.slice(interfaceScheme.length) : shared
  const at = rest.indexOf(isInterface ? '/' : '+')
  if (at < 1) return undefined
  const own = rest.slice(at + 1)
  if (own === '' && !isInterface) return undefined
  return { upstream: rest.slice(0, at), own: isInterface ? `${interfaceScheme}${own}` : own }
}
