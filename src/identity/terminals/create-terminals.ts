/**
 * Who administers from a terminal? Whoever approved it in their browser, as long as their grant holds and with the rules
 * that sessions have.
 * Stops: tokens for MCP paths, of other clients or without the scope; an administrator who has to have a passkey first.
 * Trusts: the judge of OAuth tokens for resource, end, client and person. Fails closed as it does.
 * @see RFC 8628; docs/decisions/0038-the-terminal-signs-in-by-the-browser.md
 */
import { isRefusal, type Principal, type Refusal, refuse } from '#kernel'
import { type SessionContext, needsPasskey } from '../credentials/authenticate-session.ts'
import { canonicalResource } from '../credentials/resource.ts'
import { endByItself } from '../oauth/grants.ts'
import { adminScope, terminalClient } from '../oauth/resources.ts'
import type { Presented } from '../oauth/verify-proof.ts'
import type { Parts } from '../parts.ts'
import { refusals } from '../refusals.ts'

export interface Terminals {
  /** The person behind a `coa_…` for the admin API, with their present roles. Refusals are the caller's to record. */
  authenticate(token: string, context?: SessionContext): Promise<Principal | Refusal>
  /** Where terminals ask for what the admin API takes, in the words of RFC 9728; public. */
  metadata(): Readonly<Record<string, unknown>>
  /** Signs a terminal out: ends its grant and every token of it. */
  signOut(principal: Principal): Promise<void>
}

type JudgeToken = (presented: Presented) => Principal | Refusal | Promise<Principal | Refusal>

export function createTerminals(parts: Parts, judge: JudgeToken): Terminals {
  const { database, places } = parts
  const resource = canonicalResource(places.adminUrl) ?? places.adminUrl
  return {
    async authenticate(token, context) {
      const principal = await judge({ token, resource, how: undefined })
      if (isRefusal(principal)) return principal
      const { client, credential } = principal
      const detail = { person: principal.id, credential: credential.id, client: client?.id ?? null }
      const isTerminal = client?.id === terminalClient && client.scopes.includes(adminScope)
      if (!isTerminal) return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: 'not a terminal' } })
      const isBarred = context?.isRegistering !== true && (await needsPasskey(parts, principal.id, principal.roles))
      return isBarred ? refuse(refusals.passkeyNeeded, { detail }) : principal
    },
    metadata: () => ({
      resource: places.adminUrl,
      resource_name: 'Castellan, admin API',
      authorization_servers: [places.gatewayUrl],
      scopes_supported: [adminScope],
      bearer_methods_supported: ['header'],
    }),
    async signOut({ credential }) {
      const row = await database.query
        .selectFrom('oauth_artifacts')
        .select('grant_id')
        .where('public_id', '=', credential.id)
        .executeTakeFirst()
      if (row && row.grant_id !== null) await endByItself(parts, row.grant_id, 'signed out')
    },
  }
}
