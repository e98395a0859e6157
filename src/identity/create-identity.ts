/**
 * Who is asking? Puts the room together: enrolment, sign-in, sessions, access tokens, people.
 * Stops anonymous use: everything it hands out is a person with the factors they proved.
 * Trusts its parts: database, ledger, clock, sealer. Fails closed in each of them.
 */
import type { Ledger } from '#audit'
import type { Clock, Principal, Refusal, Sealer } from '#kernel'
import type { Database } from '#platform/database'
import { createArgon2id } from './methods/argon2id.ts'
import { type Enrolments, createEnrolments } from './enrolment/enrolments.ts'
import { createGate } from './sign-in/gate.ts'
import { createTokenAuthenticator } from './credentials/authenticate-token.ts'
import { type AccessTokens, createAccessTokens } from './credentials/access-tokens.ts'
import { type OwnCredentials, createOwnCredentials } from './people/own-credentials.ts'
import type { IdentitySettings, Parts } from './parts.ts'
import { type People, createPeople } from './people/people.ts'
import { createSessionAuthenticator } from './credentials/authenticate-session.ts'
import { type Sessions, createSessions } from './credentials/sessions.ts'
import { type SignInRequest, type SignedIn, createSignIn } from './sign-in/sign-in.ts'
import { createStillValid } from './credentials/still-valid.ts'

export interface IdentityOptions {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly sealer: Sealer
  readonly settings: IdentitySettings
  /**
   * A server key kept outside the database, mixed into passwords and recovery codes. The same on all nodes and for
   * good: what was hashed with it is worth nothing without it.
   */
  readonly pepper?: Uint8Array
}

export interface Identity {
  readonly enrolments: Enrolments
  /** A new session, or one refusal whatever was wrong. Recorded either way before it returns. */
  signIn(request: SignInRequest): Promise<SignedIn | Refusal>
  /**
   * The person behind `css_…`, with their present roles, or `identity.session-invalid`. Counts as use of the session.
   * @param context of the request; a session is not bound to an address, which changes with networks
   */
  authenticateSession(token: string, context?: { address: string }): Promise<Principal | Refusal>
  /**
   * The person behind `cst_…`, if it is for this resource; the refusal is for the caller to record. Synchronous while
   * the database has not changed since the token was last read.
   */
  authenticateAccessToken(token: string, resource: string): Principal | Refusal | Promise<Principal | Refusal>
  /** Whether the credential still holds: not ended, expired, idle or revoked, and its person active. */
  stillValid(principal: Principal): boolean | Promise<boolean>
  readonly sessions: Sessions
  readonly tokens: AccessTokens
  readonly people: People & OwnCredentials
}

export function createIdentity({ pepper, ...rest }: IdentityOptions): Identity {
  const parts: Parts = { ...rest, argon2id: createArgon2id(pepper), gate: createGate() }
  const sessions = createSessions(parts)
  return {
    enrolments: createEnrolments(parts),
    signIn: createSignIn(parts),
    authenticateSession: createSessionAuthenticator(parts, sessions),
    authenticateAccessToken: createTokenAuthenticator(parts),
    stillValid: createStillValid(parts),
    sessions,
    tokens: createAccessTokens(parts),
    people: { ...createPeople(parts), ...createOwnCredentials(parts) },
  }
}
