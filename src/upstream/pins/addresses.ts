/**
 * For which addresses was an approval given?
 *
 * Stops: approvals that go over to another command or URL under the same name.
 * Trusts: the record of the upstream, which only an admin writes.
 * Fails: an approval of which no address is left counts for nothing.
 * @see docs/decisions/0027
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { UpstreamRecord } from '../transports/transport.ts'

/** One hash for the command, or for each URL, with the name and transport of the upstream. */
export function addressesOf({ name, transport, command, url, endpoints }: UpstreamRecord): string[] {
  const urls = endpoints?.map((endpoint) => endpoint.url) ?? (url === undefined ? [] : [url])
  const addresses = transport === 'stdio' ? [command ?? []] : urls
  return addresses.map((address) =>
    createHash('sha256')
      .update(canonicalize([name, transport, address]) ?? '')
      .digest('hex'),
  )
}

/**
 * Whether an approval still counts where the upstream is reached. One address in common is enough: replicas come and go,
 * and each of them has to offer the approved definition anyway.
 */
export function isReachedAsApproved(approved: readonly string[], current: readonly string[]): boolean {
  return approved.some((address) => current.includes(address))
}
