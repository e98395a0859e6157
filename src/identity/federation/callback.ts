/**
 * `/sso/<provider>/callback`: is this the provider's answer to this browser's question? Then whoever it names comes in.
 * Stops: answers begun elsewhere, used before, of another provider (mix-up), forged, for another client, without nonce.
 * Trusts: keys and endpoints of the configured issuer alone. Fails closed: one page for all that is wrong, on record.
 * @see OpenID Connect Core 1.0, section 3.1.3.7; RFC 9207; ASVS 6.8.2, 10.1.2, 10.2.2, 10.5.1, 10.5.4
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import * as oidc from 'openid-client'
import { z } from 'zod'
import { sendOn } from '../pages/page.ts'
import { admit, needsOwnFactor } from './admit.ts'
import { type Asserted, type Claims, claimAt, readClaims } from './claims.ts'
import { type ProviderClient, reasonOf } from './client.ts'
import { keepProof, longestProofSeconds, provingShape } from './prove-there.ts'
import { recognise } from './recognise.ts'
import { federationRefusals } from './refusals.ts'
import type { Provider } from './settings.ts'
import { type FederationParts, type Trip, browserOf, pathOf, queryOf, refuseSignIn, tieBrowser } from './trip.ts'

const begun = z.strictObject({
  verifier: z.string(),
  nonce: z.string(),
  next: z.string().optional(),
  proving: provingShape.optional(),
})
type Begun = z.infer<typeof begun>

function refused(reason: string, detail: Readonly<Record<string, unknown>> = {}): Refusal {
  return refuse(federationRefusals.providerSignInRefused, { detail: { reason, ...detail } })
}

/** The attempt that this answer uses up. */
async function takeAttempt(parts: FederationParts, { req, provider }: Trip, state: string): Promise<Begun | undefined> {
  // INVARIANT: taken before it is known whose it is, so that an answer which was seen elsewhere is worth nothing here.
  const bound = { provider: provider.name, step: 'callback', browser: browserOf(parts, req) ?? '' } as const
  const taken = await parts.attempts.take(parts.database.query, state, bound)
  return taken === undefined ? undefined : begun.parse(taken)
}

/** Claims of userinfo, asked for only where the ID token does not tell enough. */
async function userInfoOf(
  { configuration }: ProviderClient,
  { settings }: Provider,
  tokens: { readonly accessToken: string; readonly idToken: Claims },
): Promise<Claims> {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return {}
  const lacksGroups =
    Object.keys(settings.roles).length > 0 && claimAt(tokens.idToken, settings.groupsClaim) === undefined
  const lacksNames = settings.provision === 'jit' && tokens.idToken['preferred_username'] === undefined
  if (!lacksGroups && !lacksNames) return {}
  return oidc.fetchUserInfo(configuration, tokens.accessToken, String(tokens.idToken['sub']))
}

async function exchange(
  parts: FederationParts,
  trip: Trip,
  client: ProviderClient,
  attempt: Begun & { readonly state: string },
): Promise<{ asserted: Asserted; idToken: string; authTime: unknown } | Refusal> {
  const { provider } = trip
  const maxAge = attempt.proving === undefined ? provider.settings.signInMaxAgeSeconds : longestProofSeconds
  // WHY: the redirect address is made from what is configured; the client's Host says nothing.
  const here = new URL(parts.places.gatewayUrl + pathOf(provider.name, 'callback'))
  here.search = queryOf(trip.req).toString()
  try {
    const tokens = await oidc.authorizationCodeGrant(client.configuration, here, {
      expectedState: attempt.state,
      expectedNonce: attempt.nonce,
      pkceCodeVerifier: attempt.verifier,
      idTokenExpected: true,
      ...(maxAge === undefined ? {} : { maxAge }),
    })
    const [idToken, raw] = [tokens.claims() as Claims | undefined, tokens.id_token]
    if (idToken === undefined || raw === undefined) return refused('no-id-token')
    const userInfo = await userInfoOf(client, provider, { accessToken: tokens.access_token, idToken })
    const asserted = readClaims({ idToken, userInfo }, provider)
    return asserted === undefined ? refused('no-subject') : { asserted, idToken: raw, authTime: idToken['auth_time'] }
  } catch (error) {
    return refused('not-accepted', { problem: reasonOf(error) })
  }
}

/** Asks the person for a factor of their own, and comes back with it. */
async function askOwnFactor(parts: FederationParts, trip: Trip, kept: object): Promise<void> {
  const bound = { provider: trip.provider.name, step: 'second-factor', browser: tieBrowser(parts, trip) } as const
  const handle = await parts.attempts.begin(bound, kept)
  const query = new URLSearchParams({ step: handle })
  sendOn(trip.res, `${pathOf(trip.provider.name, 'second-factor')}?${query.toString()}`)
}

async function letIn(
  parts: FederationParts,
  trip: Trip,
  answer: { asserted: Asserted; idToken: string },
  next: string | undefined,
): Promise<void> {
  const { provider, visit, req, res } = trip
  const { asserted, idToken } = answer
  const { subject } = asserted
  const refuseIt = (refusal: Refusal) =>
    refuseSignIn(parts, trip, { ...refusal, detail: { issuer: provider.issuer, subject, ...refusal.detail } })
  if (provider.settings.requireMfa && !asserted.hasSecondFactor) {
    return refuseIt(
      refuse(federationRefusals.secondFactorMissing, { detail: { reason: 'provider-showed-no-second-factor' } }),
    )
  }
  const person = await recognise(parts, { provider, asserted, address: visit.address })
  if (isRefusal(person)) return refuseIt(person)
  const answered = { personId: person.personId, asserted, idToken }
  const needsOwn = await needsOwnFactor(parts, answered)
  if (isRefusal(needsOwn)) return refuseIt(needsOwn)
  if (needsOwn) return askOwnFactor(parts, trip, { ...answered, next })
  const from = { address: visit.address, agent: req.headers['user-agent'] }
  const signedIn = await admit(parts, { provider, answered, from })
  if (isRefusal(signedIn)) return refuseIt(signedIn)
  await parts.browser.start(res, req, signedIn)
  sendOn(res, next ?? '/account', true)
}

export async function answerCallback(parts: FederationParts, trip: Trip): Promise<void> {
  const [state = '', ...more] = queryOf(trip.req).getAll('state')
  const attempt = more.length === 0 ? await takeAttempt(parts, trip, state) : undefined
  if (attempt === undefined) {
    const detail = { reason: 'attempt-unknown' }
    return refuseSignIn(parts, trip, refuse(federationRefusals.attemptUnknown, { detail }))
  }
  const client = await parts.clients.of(trip.provider)
  if (isRefusal(client)) return refuseSignIn(parts, trip, client)
  const answer = await exchange(parts, trip, client, { ...attempt, state })
  if (isRefusal(answer)) return refuseSignIn(parts, trip, answer)
  const { next, proving } = attempt
  await (proving === undefined
    ? letIn(parts, trip, answer, next)
    : keepProof(parts, trip, { ...answer, proving, next: next ?? '/account' }))
}
