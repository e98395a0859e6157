/**
 * Does whoever presents a token hold the key that it is bound to?
 * Stops: a stolen token; a proof that was used before, is old, or was made for another request or another token.
 * Trusts: jose for signatures; the database for what was seen before. Fails: closed: whatever is not a proof is none.
 * @see RFC 9449, section 4.3 and 7
 */
import { hash } from 'node:crypto'
import type { Clock } from '#kernel'
import { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } from 'jose'
import { isSameResource } from '../credentials/resource.ts'
import type { Replays } from './replays.ts'

const algorithms = ['ES256', 'EdDSA', 'Ed25519']
const windowSeconds = 300
const longestId = 256

/** How a token came that is said to be bound to a key: under the scheme `DPoP`. */
export interface Presentation {
  readonly method: string
  /** The header `DPoP`. */
  readonly proof: string | undefined
}

/** A token as it came. */
export interface Presented {
  readonly token: string
  /** What it has to be for; also the address that a proof has to name. */
  readonly resource: string
  /** Undefined under the scheme `Bearer`. */
  readonly how: Presentation | undefined
}

function withoutQuery(address: unknown): string {
  if (typeof address !== 'string' || !URL.canParse(address)) return ''
  const url = new URL(address)
  return url.origin + url.pathname
}

/** @param boundTo thumbprint of the key; a token that is not bound to one proves nothing */
export async function verifyProof(
  presented: Presented,
  boundTo: string | undefined,
  { clock, replays }: { clock: Clock; replays: Replays },
): Promise<boolean> {
  const { token, resource, how } = presented
  if (boundTo === undefined || how?.proof === undefined) return false
  const currentDate = new Date(clock.now())
  try {
    const options = { algorithms, typ: 'dpop+jwt', currentDate, clockTolerance: windowSeconds }
    const { payload, protectedHeader } = await jwtVerify(how.proof, EmbeddedJWK, options)
    const { jti, iat, htm, htu, ath } = payload
    const isFresh = typeof iat === 'number' && Math.abs(clock.now() / 1_000 - iat) <= windowSeconds
    const isForThis =
      htm === how.method && isSameResource(resource, withoutQuery(htu)) && ath === hash('sha256', token, 'base64url')
    const isTheirs =
      protectedHeader.jwk !== undefined && (await calculateJwkThumbprint(protectedHeader.jwk)) === boundTo
    const isNamed = typeof jti === 'string' && jti !== '' && jti.length <= longestId
    if (!isFresh || !isForThis || !isTheirs || !isNamed) return false
    return await replays.useOnce(`token-proof/${boundTo}`, jti, clock.now() + 2 * windowSeconds * 1_000)
  } catch (error) {
    // WHY: a store that does not answer is a fault; everything that jose throws is no proof.
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_J')) return false
    throw error
  }
}
