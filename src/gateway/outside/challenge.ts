/**
 * What is a client told that has to come back with a token, another one, or more scopes? All of it in one challenge.
 * Stops: a client asking for more than it needs, or in one place for what another place gives.
 * Trusts: the refusal's own sentences, and the configured address of the metadata.
 * Fails: nothing here can fail; a refusal that is about no token has no challenge.
 * @see RFC 6750, section 3; RFC 9728, section 5.1; RFC 9470, section 3; RFC 9449, section 7.1; MCP 2026-07-28, authorization
 */
import { identityRefusals } from '#identity'
import type { Refusal } from '#kernel'
import { gatewayRefusals } from '../refusals.ts'

/** The scope that every exchange at a path of MCP needs; there is no other. */
export const mcpScope = 'mcp'

/** Algorithms of proofs that a client may bind its tokens with. */
export const proofAlgorithms = ['ES256', 'EdDSA', 'Ed25519']

/** SPEC: RFC 6750, section 3.1: no error when the request carried no token at all. */
const errors: Readonly<Record<string, string | undefined>> = {
  [gatewayRefusals.tokenMalformed.code]: 'invalid_request',
  [gatewayRefusals.tokenInAddress.code]: 'invalid_request',
  [gatewayRefusals.scopeMissing.code]: 'insufficient_scope',
  [identityRefusals.signInTooWeak.code]: 'insufficient_user_authentication',
  [identityRefusals.proofInvalid.code]: 'invalid_dpop_proof',
}

/** The value of `WWW-Authenticate`; undefined for a refusal that no token would change. */
export function challengeOf(refusal: Refusal, status: number, metadataUrl: string): string | undefined {
  const known = errors[refusal.code]
  if (status !== 401 && known === undefined) return undefined
  const error = refusal.code === gatewayRefusals.tokenMissing.code ? undefined : (known ?? 'invalid_token')
  const says = refusal.says.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')
  const parts = [
    ...(error === undefined ? [] : [`error="${error}"`, `error_description="${says}"`]),
    ...(error === 'invalid_dpop_proof' ? [`algs="${proofAlgorithms.join(' ')}"`] : []),
    `resource_metadata="${metadataUrl}"`,
    `scope="${mcpScope}"`,
  ]
  return `${error === 'invalid_dpop_proof' ? 'DPoP' : 'Bearer'} ${parts.join(', ')}`
}
