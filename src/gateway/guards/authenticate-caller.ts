/**
 * Who is asking? Learns the principal from the bearer token, for this resource only.
 * Stops: no token, a forged, expired or revoked one, one made for another resource.
 * Trusts: identity's answer; never the client's claims, never a token in the URL.
 * Fails: anything but a verified person is a refusal with status 401.
 * @see RFC 6750, section 2.1; RFC 8707
 */
import { type Principal, type Refusal, refuse } from '#kernel'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'

export interface TokenCheck {
  authenticateAccessToken(token: string, resource: string): Principal | Refusal | Promise<Principal | Refusal>
}

export interface Authenticated {
  readonly principal: Principal
}

const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i

function learn(answer: Principal | Refusal): Authenticated | Refusal {
  return 'kind' in answer ? answer : { principal: answer }
}

export function authenticateCaller(identity: TokenCheck): Guard<Arrival, Authenticated> {
  return {
    name: 'authenticate-caller',
    check({ headers, resource }) {
      const token = bearer.exec(headerOf(headers, 'authorization') ?? '')?.[1]
      if (token === undefined) return refuse(gatewayRefusals.tokenMissing)
      const answer = identity.authenticateAccessToken(token, resource)
      return answer instanceof Promise ? answer.then(learn) : learn(answer)
    },
  }
}
