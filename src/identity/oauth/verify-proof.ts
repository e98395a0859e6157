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

/** What a proof has to be for. */
interface ProvenRequest {
  readonly method: string
  readonly address: string
  /** The token that it is shown with; none where one is asked for. */
  readonly token?: string
}

/** The thumbprint of the key that a proof shows, and its id; undefined when it is none for this request. */
async function readProof(proof: string, { method, address, token }: ProvenRequest, clock: Clock) {
  const currentDate = new Date(clock.now())
  try {
    const options = { algorithms, typ: 'dpop+jwt', currentDate, clockTolerance: windowSeconds }
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, options)
    const { jti, iat, htm, htu, ath } = payload
    const isFresh = typeof iat === 'number' && Math.abs(clock.now() / 1_000 - iat) <= windowSeconds
    const isForToken = token === undefined || ath === hash('sha256', token, 'base64url')
    const isForThis = htm === method && isSameResource(address, withoutQuery(htu)) && isForToken
    const isNamed = typeof jti === 'string' && jti !== '' && jti.length <= longestId
    if (!isFresh || !isForThis || !isNamed || protectedHeader.jwk === undefined) return undefined
    return { thumbprint: await calculateJwkThumbprint(protectedHeader.jwk), id: jti }
  } catch (error) {
    // WHY: everything that jose throws is no proof; anything else is a fault.
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_J')) return undefined
    throw error
  }
}

/** The thumbprint of the key that a proof shows for a request for a token, once; undefined when it is no proof. */
export async function useProof(
  proof: string,
  request: ProvenRequest,
  { clock, replays }: { clock: Clock; replays: Replays },
): Promise<string | undefined> {
  const shown = await readProof(proof, request, clock)
  if (shown === undefined) return undefined
  const endsAt = clock.now() + 2 * windowSeconds * 1_000
  const isFirst = await replays.useOnce(`token-proof/${shown.thumbprint}`, shown.id, endsAt)
  return isFirst ? shown.thumbprint : undefined
}

/** @param boundTo thumbprint of the key; a token that is not bound to one proves nothing */
export async function verifyProof(
  { token, resource, how }: Presented,
  boundTo: string | undefined,
  { clock, replays }: { clock: Clock; replays: Replays },
): Promise<boolean> {
  if (boundTo === undefined || how?.proof === undefined) return false
  const shown = await readProof(how.proof, { method: how.method, address: resource, token }, clock)
  if (shown?.thumbprint !== boundTo) return false
  return replays.useOnce(`token-proof/${boundTo}`, shown.id, clock.now() + 2 * windowSeconds * 1_000)
}
