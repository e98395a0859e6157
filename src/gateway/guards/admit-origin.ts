/**
 * Was this sent to us, and not by a page of another site?
 * Stops: DNS rebinding and cross-site requests (MCP transports: Origin MUST be validated).
 * Trusts: the configured public address.
 * Fails: an absent or foreign Host, or a foreign Origin, is refused.
 * @see RFC 9110, section 7.2
 */
import { refuse } from '#kernel'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'

export function admitOrigin(settings: {
  hosts: ReadonlySet<string>
  origins: ReadonlySet<string>
}): Guard<Arrival, {}> {
  return {
    name: 'admit-origin',
    check({ headers }) {
      const host = headerOf(headers, 'host')?.toLowerCase()
      if (host === undefined || !settings.hosts.has(host)) {
        return refuse(gatewayRefusals.hostNotAllowed, { names: { host: host ?? '' }, detail: { host } })
      }
      const origin = headerOf(headers, 'origin')
      if (origin !== undefined && !settings.origins.has(origin.toLowerCase())) {
        return refuse(gatewayRefusals.originNotAllowed, { names: { origin }, detail: { origin } })
      }
      return {}
    },
  }
}
