/**
 * How are the metadata of a client kept? Sealed to the client's own row.
 * Stops: metadata of one client being put in another's place. Trusts: the sealer. Fails closed: what does not open is nothing.
 */
import type { Sealer } from '#kernel'
import type { AdapterPayload } from 'oidc-provider'

function placeOf(id: string): string {
  return `oauth-client/${id}`
}

export function sealMetadata(sealer: Sealer, id: string, metadata: AdapterPayload): string {
  return sealer.seal(Buffer.from(JSON.stringify(metadata)), placeOf(id))
}

/** @param sealed nothing of a client that is known by its document */
export function openMetadata(sealer: Sealer, id: string, sealed: string | null): AdapterPayload | undefined {
  const plain = sealer.open(sealed ?? '', placeOf(id))
  return plain === undefined ? undefined : (JSON.parse(Buffer.from(plain).toString()) as AdapterPayload)
}
