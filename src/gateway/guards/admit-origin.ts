/**
 * Was this sent to us, and not by a page of another site?
 * Stops: DNS rebinding and cross-site requests, on every path and method (MCP transports: Origin MUST be validated).
 * Trusts: the configured public address, hosts and origins; no header that a proxy or client may add.
 * Fails: an absent, malformed or foreign Host, a foreign Origin and the origin `null` are refused.
 * @see RFC 9110, section 7.2; RFC 6454, section 7
 */
import { refuse } from '#kernel'
import type { Hosts, Origins } from '#platform/http'
import { headerOf, type Knock } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { RequestRate } from '../limits/request-rate.ts'
import { gatewayRefusals } from '../refusals.ts'

export function admitOrigin(
  settings: { readonly current: { readonly hosts: Hosts; readonly origins: Origins } },
  rate: Pick<RequestRate<string>, 'charge'>,
): Guard<Knock, {}> {
  return {
    name: 'admit-origin',
    check({ headers, address }) {
      const { hosts, origins } = settings.current
      const host = headerOf(headers, 'host')
      if (!hosts.has(host)) {
        const options = { names: { host: host ?? '' }, detail: { host: host ?? null } }
        return rate.charge(address, refuse(gatewayRefusals.hostNotAllowed, options))
      }
      const origin = headerOf(headers, 'origin')
      if (origin === undefined || origins.has(origin)) return {}
      return rate.charge(address, refuse(gatewayRefusals.originNotAllowed, { names: { origin }, detail: { origin } }))
    },
  }
}
