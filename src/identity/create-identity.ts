/**
 * Who is asking? Puts the room together: enrolment, sign-in, sessions, access tokens, people.
 * Stops anonymous use: everything it hands out is a person with the factors they proved.
 * Trusts its parts: database, ledger, clock, sealer. Fails closed in each of them.
 */
import type { Ledger } from '#audit'
import type { Clock, Principal, Refusal, Sealer } from '#kernel'
import type { Database } from '#platform/database'
import { createBrowserSessions } from './pages/browser-session.ts'
import { createForms } from './pages/form.ts'
import { createIdentityPages } from './pages/identity-pages.ts'
import { createArgon2id } from './methods/argon2id.ts'
import { type Enrolments, createEnrolments } from './enrolment/enrolments.ts'
import { type Mount, createFront } from './front/front.ts'
import { type Federation, createFederation } from './federation/create-federation.ts'
import { createExternalTokens } from './external/authenticate-external.ts'
import { createIssuerKeyring, type IssuerKeyring } from './external/withdrawn-keys.ts'
import { createGate } from './sign-in/gate.ts'
import { createTokenAuthenticator } from './credentials/authenticate-token.ts'
import { createTokenDispatch } from './credentials/dispatch-token.ts'
import { type AccessTokens, createAccessTokens } from './credentials/access-tokens.ts'
import { type OwnCredentials, createOwnCredentials } from './people/own-credentials.ts'
import { createAuthorizationServer } from './oauth/authorization-server.ts'
import type { AddedClient, NewClient } from './oauth-clients/add-client.ts'
import type { Clients } from './oauth-clients/clients.ts'
import { createWithdrawClientKey, type WithdrawClientKey } from './oauth-clients/withdraw-key.ts'
import type { Grants } from './oauth/grants.ts'
import { createOauthAuthenticator } from './oauth/authenticate-oauth-token.ts'
import type { Presentation } from './oauth/verify-proof.ts'
import type { IdentitySettings, Parts, Places } from './parts.ts'
import { factorScreens } from './account/factor-screens.ts'
import { type Factors, createFactors } from './people/factors.ts'
import { type FinishReset, createFinishReset } from './recovery/finish-reset.ts'
import { type Resets, createResets } from './recovery/resets.ts'
import { type People, createPeople } from './people/people.ts'
import { passkeyEntries } from './passkey/account-screens.ts'
import { createPasskeys, type Passkeys } from './passkey/create-passkeys.ts'
import { passkeyButton, passkeySignInScreen } from './passkey/sign-in-part.ts'
import { createNotices, type Notices } from './notices/notices.ts'
import { type SessionContext, createSessionAuthenticator } from './credentials/authenticate-session.ts'
import { type Sessions, createSessions } from './credentials/sessions.ts'
import { type ServiceAccounts, createServiceAccounts } from './service-accounts/service-accounts.ts'
import { type SignInRequest, type SignedIn, createSignIn } from './sign-in/sign-in.ts'
import type { RemedyDesk } from './remedies/desk.ts'
import { remedyScreen } from './remedies/remedy-screen.ts'
import { createStepUp } from './step-up/create-step-ups.ts'
import type { ProveFresh } from './step-up/prove-fresh.ts'
import type { StepUps } from './step-up/step-ups.ts'
import { createScim, type Provisioning } from './scim/create-scim.ts'
import { createTerminals, type Terminals } from './terminals/create-terminals.ts'
import { createStillValid } from './credentials/still-valid.ts'

export interface IdentityOptions {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly sealer: Sealer
  readonly settings: IdentitySettings
  readonly places: Places
  /** Calls that wait for what their person has to say, and consents that are kept. */
  readonly remedies: RemedyDesk
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
   * An administrator who has to have a passkey and has none is `identity.passkey-needed`.
   * @param context of the request; a session is not bound to an address, which changes with networks. `isRegistering`
   * where nothing can be done but to look at one's account, to register a passkey and to sign out
   */
  authenticateSession(token: string, context?: SessionContext): Promise<Principal | Refusal>
  /**
   * The person behind `cst_…` or `coa_…`, or behind the signed token of a configured issuer, if it is for this resource; the refusal
   * is for the caller to record. Synchronous while nothing has changed since the token was last read.
   */
  authenticateAccessToken(
    token: string,
    resource: string,
    how?: Presentation,
  ): Principal | Refusal | Promise<Principal | Refusal>
  /** Whether the credential still holds: not ended, expired, idle or revoked, and its person active. */
  stillValid(principal: Principal): boolean | Promise<boolean>
  /** Moves when something that is in no database ended credentials: other settings, a key that was withdrawn. */
  epoch(): number
  readonly sessions: Sessions
  readonly tokens: AccessTokens
  readonly people: People & OwnCredentials
  readonly passkeys: Passkeys
  /** Programs that act with nobody at a keyboard, and who answers for each. */
  readonly serviceAccounts: ServiceAccounts
  /** Asks a signed-in person to prove a factor at this moment. */
  readonly proveFresh: ProveFresh
  /** Fresh factors for single calls. */
  readonly stepUps: StepUps
  readonly notices: Notices
  /** What people can prove themselves with, for administrators. */
  readonly factors: Factors
  /** Ways back in for those who lost something. */
  readonly resets: Resets
  /** A new password behind the link of a reset, for whoever proves a factor they still have. */
  finishReset(request: FinishReset): Promise<{ readonly name: string } | Refusal>
  /** What people let OAuth clients do. */
  readonly grants: Grants
  readonly clients: Clients
  /** Registers an OAuth client on behalf of an admin. */
  readonly addClient: (fresh: NewClient) => Promise<AddedClient | Refusal>
  readonly withdrawClientKey: WithdrawClientKey
  /** Keys of issuers elsewhere that an administrator withdrew. */
  readonly issuerKeys: IssuerKeyring
  /** Identity providers that people sign in at. */
  readonly providers: Federation['providers']
  /** Directories that provision people. */
  readonly provisioning: Provisioning
  /** Terminals that people signed in from their browser. */
  readonly terminals: Terminals
  /** What browsers and OAuth clients are answered on the gateway's listener. */
  readonly front: Mount
}

export function createIdentity({ pepper, remedies, ...rest }: IdentityOptions): Identity {
  const parts: Parts = { ...rest, argon2id: createArgon2id(pepper), gate: createGate() }
  const sessions = createSessions(parts)
  const external = createExternalTokens(parts)
  const server = createAuthorizationServer({ ...parts, external })
  const tokens = { own: createTokenAuthenticator(parts), oauth: createOauthAuthenticator(parts), external }
  const authenticateAccessToken = createTokenDispatch(tokens)
  const scim = createScim(parts, authenticateAccessToken)
  const signIn = createSignIn(parts)
  const authenticateSession = createSessionAuthenticator(parts, sessions)
  const people = { ...createPeople(parts), ...createOwnCredentials(parts) }
  const accounts = { tokens: createAccessTokens(parts), serviceAccounts: createServiceAccounts(parts) }
  const own = { sessions, people, notices: createNotices(parts), ...accounts }
  const proving = createPasskeys(parts)
  const finishReset = createFinishReset(parts)
  const { passkeys } = proving
  const publicUrl = () => parts.places.gatewayUrl
  const browser = createBrowserSessions({ publicUrl, authenticateSession, sessions })
  const federation = createFederation({ ...parts, browser, forms: createForms({ ...parts, publicUrl }) })
  const knowing = { ...proving, people, providerOf: federation.providerOf }
  const stepUp = createStepUp(parts, knowing)
  const screens = [...factorScreens(parts, { ...knowing, finishReset }), stepUp.screen, remedyScreen(parts, remedies)]
  const shown = { ...own, parts, signIn, browser, consents: remedies.consents }
  const pages = createIdentityPages({
    ...shown,
    oauth: server,
    signInOptions: async (call, next) => ({
      providers: await federation.options(),
      passkeys: passkeyButton(call, next),
    }),
    providerOf: federation.providerOf,
    otherFactors: async (call) => ({ entries: await passkeyEntries(passkeys, call) }),
    moreScreens: [passkeySignInScreen({ passkeys, browser }), ...screens],
  })
  return {
    ...own,
    enrolments: createEnrolments(parts),
    signIn,
    authenticateSession,
    authenticateAccessToken,
    stillValid: createStillValid(parts, external),
    epoch: external.epoch,
    withdrawClientKey: createWithdrawClientKey(parts),
    issuerKeys: createIssuerKeyring(parts),
    ...proving,
    stepUps: stepUp.stepUps,
    factors: createFactors(parts),
    resets: createResets(parts),
    finishReset,
    grants: server.grants,
    clients: server.clients,
    addClient: server.addClient,
    providers: federation.providers,
    provisioning: scim.provisioning,
    terminals: createTerminals(parts, tokens.oauth),
    front: createFront([server.mount, federation.mount, scim.mount, pages]),
  }
}
