/**
 * Where are passkeys good? On the pages of this Castellan: one domain, and the addresses of its two listeners.
 * Stops a page of another site from using them: the authenticator signs the origin and the domain it saw.
 * Trusts the configuration for both. Fails closed: another origin or domain is refused.
 * @see Web Authentication Level 3, sections 5.1.3 and 13.4.9
 */
import type { Parts } from '../parts.ts'

export interface RelyingParty {
  /** The domain. */
  readonly id: string
  readonly origins: readonly string[]
}

/** COSE numbers of ES256, EdDSA and RS256, best first. */
export const allowedAlgorithms: readonly number[] = [-7, -8, -257]

export function relyingParty({ places, settings }: Pick<Parts, 'places' | 'settings'>): RelyingParty {
  const { gatewayUrl, adminUrl } = places
  const origins = [gatewayUrl, adminUrl].map((url) => new URL(url).origin)
  return { id: settings.passkeyDomain ?? new URL(gatewayUrl).hostname, origins: [...new Set(origins)] }
}
