import { refuse, type Refusal } from '#kernel'
import { refusals } from './refusals.ts'

/** What of a request says where it comes from. */
export interface RequestSource {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  readonly fetchMode: string | undefined
  /** Port of the listener the request came in on. */
  readonly localPort: number
  readonly publicUrl: string
  /** A page may be reached by a link on another site (an invitation in a chat); nothing else may. */
  readonly isPage: boolean
}

/** Hosts under which the listener is reached, as they appear in a `Host` header. */
function ownHosts(localPort: number, publicUrl: string): Set<string> {
  const names = ['localhost', '127.0.0.1', '[::1]']
  const hosts = new Set(names.map((name) => `${name}:${localPort}`))
  if (localPort === 80) for (const name of names) hosts.add(name)
  hosts.add(new URL(publicUrl).host)
  return hosts
}

function isOwnOrigin(origin: string, source: RequestSource, hosts: ReadonlySet<string>): boolean {
  if (origin === new URL(source.publicUrl).origin) return true
  const host = /^http:\/\/([^/]+)$/.exec(origin)?.[1]
  return host !== undefined && host !== new URL(source.publicUrl).host && hosts.has(host)
}

/**
 * Refuses requests that a foreign page made through a person's browser: DNS rebinding by `Host`, the rest by `Origin`
 * and `Sec-Fetch-Site`. Ports of one machine are one site, so `same-site` is foreign too.
 */
export function admitRequest(source: RequestSource): Refusal | undefined {
  const hosts = ownHosts(source.localPort, source.publicUrl)
  if (source.host === undefined || !hosts.has(source.host.toLowerCase()))
    return refuse(refusals.foreignHost, { detail: { host: source.host ?? null } })
  if (source.origin !== undefined && !isOwnOrigin(source.origin, source, hosts))
    return refuse(refusals.foreignOrigin, { detail: { origin: source.origin } })
  const isOwnFetch = source.fetchSite === undefined || ['same-origin', 'none'].includes(source.fetchSite)
  const isFollowedLink = source.isPage && source.fetchMode === 'navigate'
  if (!isOwnFetch && !isFollowedLink) return refuse(refusals.foreignOrigin, { detail: { fetchSite: source.fetchSite } })
  return undefined
}
