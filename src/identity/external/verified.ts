/**
 * Which tokens were found to be good? Kept by their hash until they end, are pushed out, or what they rest on changes.
 * Stops: a signature being checked twice; memory that grows with what strangers send: bad tokens are never kept.
 * Trusts: its caller to put in only what was verified. Fails: by not knowing, and then the token is verified again.
 */
import type { MappedClaims } from './map-claims.ts'
import type { CheckedClaims } from './check-claims.ts'

/** A token whose signature and claims are right; for whom it is, and whether the person may come, is not in it. */
export interface Verified extends CheckedClaims, MappedClaims {
  /** Of issuer and subject. */
  readonly personId: string
  /** Of what was signed: the same however the signature is written. */
  readonly credentialId: string
  readonly issuer: string
  /** Of the key it was signed with. */
  readonly thumbprint: string
  /** What the issuer calls that key. */
  readonly keyId: string | undefined
}

export interface VerifiedTokens {
  /** The token with this hash, if it is known and has not ended. Counts as use. */
  get(tokenHash: string): Verified | undefined
  /** Any known token with this credential, for streams that are open. Counts as use. */
  byCredential(credentialId: string): Verified | undefined
  keep(tokenHash: string, verified: Verified): void
  /** Tokens known by hash; for the proof that memory is bounded. */
  readonly size: number
}

/** @param most tokens that are kept; the one that was not used for longest makes room */
export function createVerifiedTokens(most: number, now: () => number): VerifiedTokens {
  const known = new Map<string, Verified>()
  const hashes = new Map<string, string>()

  function forget(tokenHash: string, verified: Verified): void {
    known.delete(tokenHash)
    if (hashes.get(verified.credentialId) === tokenHash) hashes.delete(verified.credentialId)
  }

  function get(tokenHash: string): Verified | undefined {
    const found = known.get(tokenHash)
    if (found === undefined) return undefined
    known.delete(tokenHash)
    if (now() < found.endsAt) known.set(tokenHash, found)
    else forget(tokenHash, found)
    return known.get(tokenHash)
  }

  return {
    get,
    byCredential(credentialId) {
      const tokenHash = hashes.get(credentialId)
      return tokenHash === undefined ? undefined : get(tokenHash)
    },
    keep(tokenHash, verified) {
      const [oldest] = known
      if (known.size >= most && oldest !== undefined) forget(...oldest)
      known.set(tokenHash, verified)
      hashes.set(verified.credentialId, tokenHash)
    },
    get size() {
      return known.size
    },
  }
}
