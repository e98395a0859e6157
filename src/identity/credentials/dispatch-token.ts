/**
 * Whose token is this, by its shape? Ours begin with their kind and have no dots; a signed token of another issuer has two.
 * Stops: one token being tried as several kinds. Trusts: each kind's own judgement.
 * Fails: as the kind does that the shape belongs to.
 */
import { type Principal, type Refusal, refuse } from '#kernel'
import type { ExternalTokens } from '../external/authenticate-external.ts'
import type { Presentation, Presented } from '../oauth/verify-proof.ts'
import { refusals } from '../refusals.ts'

type Answer = Principal | Refusal | Promise<Principal | Refusal>

/** Who judges which tokens. */
interface Judges {
  /** Tokens that people made themselves, and whatever has no shape. */
  readonly own: (token: string, resource: string) => Answer
  /** Tokens that the authorization server gave to clients. */
  readonly oauth: (presented: Presented) => Answer
  readonly external: Pick<ExternalTokens, 'authenticate'>
}

/** Puts authenticators together; synchronous where theirs are. */
export function createTokenDispatch({ own, oauth, external }: Judges) {
  return function authenticateAccessToken(token: string, resource: string, how?: Presentation): Answer {
    if (token.startsWith('coa_')) return oauth({ token, resource, how })
    if (how !== undefined) return refuse(refusals.proofInvalid, { detail: { reason: 'not bound to a key' } })
    return token.includes('.') ? external.authenticate(token, resource) : own(token, resource)
  }
}
