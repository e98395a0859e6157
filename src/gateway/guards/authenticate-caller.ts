/**
 * Who is asking? Learns the principal from the access token, for this resource only.
 * Stops: no token, a forged, expired or revoked one, one made for another resource, one bound to another's key.
 * Trusts: identity's answer; never the client's claims, never a token in the URL.
 * Fails: anything but a verified person is a refusal: 401, 400 for what is no token, 403 for a client without the scope.
 * @see RFC 6750, section 2.1; RFC 8707; RFC 9449, section 7.1
 */
import type { Presentation } from '#identity'
import { type Principal, type Refusal, refuse } from '#kernel'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { mcpScope } from '../outside/challenge.ts'
import { gatewayRefusals } from '../refusals.ts'

export interface TokenCheck {
  authenticateAccessToken(
    token: string,
    resource: string,
    how?: Presentation,
  ): Principal | Refusal | Promise<Principal | Refusal>
}

export interface Authenticated {
  readonly principal: Principal
}

const credentials = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*) *$/i

/** SPEC: RFC 6750, section 2.3, which MCP forbids; in any spelling that a reader would take for it. */
function holdsToken(query: string): boolean {
  return [...new URLSearchParams(query).keys()].some((name) => name.toLowerCase() === 'access_token')
}

/** SPEC: RFC 6750, section 3.1: of another scheme is no token; what cannot be read as one is malformed. */
function unread(header: string | undefined): Refusal {
  const isOther = header === undefined || !/^\s*(bearer|dpop)\b/i.test(header)
  return refuse(isOther ? gatewayRefusals.tokenMissing : gatewayRefusals.tokenMalformed)
}

/** INVARIANT: an OAuth client comes in only with the scope of MCP; what a person made for themselves has no client. */
function learn(answer: Principal | Refusal): Authenticated | Refusal {
  if ('kind' in answer) return answer
  const { client, credential, id } = answer
  if (client === undefined || client.scopes.includes(mcpScope)) return { principal: answer }
  const detail = { person: id, credential: credential.id, client: client.id, scopes: client.scopes }
  return refuse(gatewayRefusals.scopeMissing, { detail })
}

export function authenticateCaller(identity: TokenCheck): Guard<Arrival, Authenticated> {
  return {
    name: 'authenticate-caller',
    check({ headers, httpMethod, resource, query }) {
      if (query !== undefined && holdsToken(query)) return refuse(gatewayRefusals.tokenInAddress)
      const header = headerOf(headers, 'authorization')
      const [, scheme = '', token] = credentials.exec(header ?? '') ?? []
      if (token === undefined) return unread(header)
      const isBound = scheme.length === 'dpop'.length
      const how = isBound ? { method: httpMethod, proof: headerOf(headers, 'dpop') } : undefined
      const answer = identity.authenticateAccessToken(token, resource, how)
      return answer instanceof Promise ? answer.then(learn) : learn(answer)
    },
  }
}
