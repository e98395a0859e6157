/**
 * Does a token whose signature is right hold here and at this moment? Each claim by itself, missing ones are wrong ones.
 * Stops: tokens for others, for later, for long ago, of another kind; tokens bound to a key that was not shown.
 * Trusts: the issuer for what its claims say, never for whom they are good. Fails: with the reason for the ledger.
 * @see RFC 7519, section 4.1; RFC 9068, section 4; RFC 8725, sections 3.8 to 3.11; ASVS 9.2.1 to 9.2.4
 */
import type { IssuerSettings } from './settings.ts'

type Claims = Readonly<Record<string, unknown>>

/** What was found to be right. */
export interface CheckedClaims {
  readonly subject: string
  /** The audience itself: a resource, or a text that stands for one path. */
  readonly audience: string
  readonly clientId: string
  /** Seconds since the epoch, as written. */
  readonly issuedAt: number
  /** Milliseconds since the epoch: the first moment at which it is worth nothing. */
  readonly endsAt: number
}

const secondMs = 1_000
const longestTextChars = 512
/** Year 9999. */
const latestSeconds = 253_402_300_799

/** Of ID tokens, logout tokens and security events: signed by the same key, and no access tokens. */
const foreignClaims = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'toe']
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u

function readMoment(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= latestSeconds ? value : undefined
}

/** An identifier as it was written: never trimmed, folded or normalised. */
function readName(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.trim() !== value) return undefined
  return value !== '' && value.length <= longestTextChars && !unprintable.test(value) ? value : undefined
}

/** One audience: a token that is good in several places could be carried from one to the other. */
function readAudience(value: unknown): string | undefined {
  return readName(Array.isArray(value) && value.length === 1 ? value[0] : value)
}

function readClient(claims: Claims, name: string): string | undefined {
  return Object.hasOwn(claims, name) ? readName(claims[name]) : readName(claims['azp'])
}

interface Times {
  readonly issuedAt: number
  readonly endsAt: number
}

/** INVARIANT: each comparison gives the other clock `clockSkewSeconds`, and not a millisecond more. */
function readTimes(claims: Claims, settings: IssuerSettings, nowMs: number): Times | string {
  const skewMs = settings.clockSkewSeconds * secondMs
  const [ends, issued] = [readMoment(claims['exp']), readMoment(claims['iat'])]
  const begins = claims['nbf'] === undefined ? 0 : readMoment(claims['nbf'])
  if (ends === undefined || issued === undefined || begins === undefined) return 'time-malformed'
  const youngest = Math.max(issued, begins) * secondMs
  if (youngest > nowMs + skewMs) return issued * secondMs > nowMs + skewMs ? 'issued-later' : 'not-yet'
  if (nowMs >= ends * secondMs + skewMs) return 'expired'
  const oldest = issued * secondMs + settings.tokenMaxAgeSeconds * secondMs + skewMs
  if (nowMs >= oldest) return 'too-old'
  return { issuedAt: issued, endsAt: Math.min(ends * secondMs + skewMs, oldest) }
}

/** @returns the reason when it does not hold */
export function checkClaims(claims: Claims, settings: IssuerSettings, nowMs: number): CheckedClaims | string {
  if (claims['iss'] !== settings.issuer) return 'wrong-issuer'
  if (foreignClaims.some((name) => Object.hasOwn(claims, name))) return 'other-kind'
  // SPEC: RFC 9449, section 7.2, and RFC 8705, section 3: worth nothing to whoever only bears it.
  if (Object.hasOwn(claims, 'cnf')) return 'sender-constrained'
  const times = readTimes(claims, settings, nowMs)
  if (typeof times === 'string') return times
  const subject = readName(claims['sub'])
  if (subject === undefined) return 'subject-malformed'
  const audience = readAudience(claims['aud'])
  if (audience === undefined) return 'audience-malformed'
  const clientId = readClient(claims, settings.claims.client)
  return clientId === undefined ? 'client-malformed' : { ...times, subject, audience, clientId }
}
