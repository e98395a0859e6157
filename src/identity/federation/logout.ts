/**
 * `/sso/<provider>/logout`: is this browser to be signed out, here and at the provider? Asked with a form.
 * Stops: another site signing a person out; a redirect to anywhere but the provider's own address for it.
 * Trusts: the session cookie for what is ended. Fails: the session here ends, also when the provider cannot be reached.
 * @see OpenID Connect RP-Initiated Logout 1.0; ASVS 7.4.1, 10.6.2
 */
import { isRefusal } from '#kernel'
import * as oidc from 'openid-client'
import { html } from '../pages/html.ts'
import { panel, sendOn, sendPage } from '../pages/page.ts'
import { idTokenPlace } from './admit.ts'
import { hostsOf } from './settings.ts'
import { takeForm } from './take-form.ts'
import { type FederationParts, type Trip, pathOf } from './trip.ts'

/** Where the provider ends its own session; undefined when it has no such place, or the session here is not from it. */
async function endThere(parts: FederationParts, { provider }: Trip, sessionId: string): Promise<string | undefined> {
  const row = await parts.database.query
    .selectFrom('provider_sessions')
    .select('sealed_id_token')
    .where('session_id', '=', sessionId)
    .where('issuer', '=', provider.issuer)
    .executeTakeFirst()
  const client = row && (await parts.clients.of(provider))
  if (client === undefined || isRefusal(client)) return undefined
  const { configuration } = client
  if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined
  const idToken = row && parts.sealer.open(row.sealed_id_token, idTokenPlace(sessionId))
  return oidc.buildEndSessionUrl(configuration, {
    ...(idToken === undefined ? {} : { id_token_hint: Buffer.from(idToken).toString() }),
    post_logout_redirect_uri: parts.places.gatewayUrl + pathOf(provider.name, 'logged-out'),
  }).href
}

async function ask(parts: FederationParts, { req, res, visit, provider }: Trip): Promise<void> {
  const person = (await parts.browser.find(req, visit.address))?.principal
  const path = pathOf(provider.name, 'logout')
  const form = html`<form method="post" action="${path}">
    ${parts.forms.field({ req, res }, { path, session: person?.credential.id ?? '' })}
    <p class="actions">
      <button type="submit" class="primary">Sign out</button>
      <a class="button quiet" href="/account">Stay</a>
    </p>
  </form>`
  const { protocol } = new URL(provider.issuer)
  sendPage(res, {
    title: 'Sign out',
    // WHY: the answer to the form leads to the provider, which browsers count as where the form leads.
    formsLeadTo: [...hostsOf(provider)].map((host) => `${protocol}//${host}`),
    body: panel('Sign out?', `You will be signed out here and at ${provider.title}.`, form),
  })
}

async function end(parts: FederationParts, trip: Trip): Promise<void> {
  const { req, res, visit, provider } = trip
  const person = (await parts.browser.find(req, visit.address))?.principal
  const fields = await takeForm(parts, trip, person)
  if (fields === undefined) return
  const there = person && (await endThere(parts, trip, person.credential.id))
  await parts.browser.end(req, res)
  sendOn(res, there ?? pathOf(provider.name, 'logged-out'))
}

export function answerLogout(parts: FederationParts, trip: Trip): Promise<void> {
  return trip.req.method === 'POST' ? end(parts, trip) : ask(parts, trip)
}

/** Where the provider leads to after it has ended its own session. */
export function answerLoggedOut({ res, provider }: Trip): void {
  sendPage(res, {
    title: 'Signed out',
    body: panel(
      'You are signed out',
      `The session of this browser has ended. Whether ${provider.title} has ended yours there is for it to say.`,
      html`<p class="actions"><a class="button quiet" href="/sign-in">Sign in again</a></p>`,
    ),
  })
}
