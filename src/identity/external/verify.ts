/**
 * Did one of the configured issuers sign this, and does it hold at this moment? The signature first, claims after it.
 * Stops: unsigned tokens, algorithms that were not allowed, keys from the token itself, forged and foreign signatures.
 * Trusts: the keys of the issuer that the token names, if that issuer is configured; the name is only what is looked up.
 * Fails: closed, with a reason for the ledger; what a caller is told does not differ.
 * @see RFC 7515, section 5.2; RFC 8725; RFC 9068, section 4; ASVS 9.1.1 to 9.1.3
 */
import { hash } from 'node:crypto'
import { type Clock, type Refusal, refuse } from '#kernel'
import { compactVerify } from 'jose'
import { refusals } from '../refusals.ts'
import { type CheckedClaims, checkClaims } from './check-claims.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import type { IssuerKey } from './key-set.ts'
import { mapClaims, signInEndsAt, weaknessOf } from './map-claims.ts'
import { type ReadJwt, readJwt } from './read-jwt.ts'
import type { IssuerSettings } from './settings.ts'
import type { Verified } from './verified.ts'

/** One issuer that is configured, and its keys. */
export interface Issuer {
  readonly settings: IssuerSettings
  readonly keys: IssuerKeys
}

const personIdDigits = 48

/** INVARIANT: of issuer and subject together, in a form that no other pair has: no two issuers share a person. */
export function externalPersonId(issuer: string, subject: string): string {
  return `ext-${hash('sha256', JSON.stringify([issuer, subject])).slice(0, personIdDigits)}`
}

function invalid(reason: string, detail: Record<string, unknown> = {}): Refusal {
  return refuse(refusals.tokenInvalid, { detail: { ...detail, reason } })
}

async function isSigned(token: string, key: IssuerKey, algorithm: string): Promise<boolean> {
  try {
    await compactVerify(token, key.key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}

/** Everything that can be seen without a key. */
function foresee(jwt: ReadJwt, { algorithms, typ }: IssuerSettings): string | undefined {
  if (!algorithms.includes(jwt.algorithm)) return 'algorithm-not-allowed'
  return jwt.type === typ.toLowerCase() ? undefined : 'wrong-type'
}

function refuseClaims(reason: string, detail: Record<string, unknown>): Refusal {
  if (reason === 'expired') return refuse(refusals.tokenExpired, { detail })
  return invalid(reason, detail)
}

function conclude(jwt: ReadJwt, key: IssuerKey, settings: IssuerSettings, checked: CheckedClaims): Verified {
  const mapped = mapClaims(jwt.payload, settings)
  return {
    ...checked,
    ...mapped,
    endsAt: Math.min(checked.endsAt, signInEndsAt(jwt.payload, settings)),
    issuer: settings.issuer,
    personId: externalPersonId(settings.issuer, checked.subject),
    credentialId: jwt.signedHash,
    thumbprint: key.thumbprint,
    keyId: key.keyId,
  }
}

/** Makes the function that verifies one token; it remembers nothing. */
export function createVerify(issuers: ReadonlyMap<string, Issuer>, clock: Clock) {
  return async function verify(token: string): Promise<Verified | Refusal> {
    const jwt = readJwt(token)
    if (typeof jwt === 'string') return invalid(jwt)
    const named = jwt.payload['iss']
    const issuer = typeof named === 'string' ? issuers.get(named) : undefined
    if (issuer === undefined) return invalid('unknown-issuer')
    const { settings, keys } = issuer
    const detail = { issuer: settings.issuer }
    const foreseen = foresee(jwt, settings)
    if (foreseen !== undefined) return invalid(foreseen, detail)
    const key = await keys.find(jwt)
    if (key === undefined) return invalid('unknown-key', detail)
    if ('unreachable' in key)
      return refuse(refusals.issuerUnreachable, { detail: { ...detail, cause: key.unreachable } })
    if (!(await isSigned(token, key, jwt.algorithm))) return invalid('wrong-signature', detail)
    const checked = checkClaims(jwt.payload, settings, clock.now())
    if (typeof checked === 'string') return refuseClaims(checked, detail)
    const weakness = weaknessOf(jwt.payload, settings, clock.now())
    if (weakness !== undefined) return refuse(refusals.signInTooWeak, { detail: { ...detail, reason: weakness } })
    return conclude(jwt, key, settings, checked)
  }
}
