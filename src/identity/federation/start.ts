/**
 * `/sso/<provider>/start`: to the provider, with everything that ties its answer to this browser and this moment.
 * Stops: a link elsewhere that signs somebody in without their doing; `next` leading to another site.
 * Trusts: the browser for `Sec-Fetch-Site`. Fails: a provider that cannot be used is said so, on record.
 * @see RFC 7636; RFC 9700, section 4.7; ASVS 7.6.2, 10.2.1
 */
import { isRefusal } from '#kernel'
import * as oidc from 'openid-client'
import { html } from '../pages/html.ts'
import { readLocalPath } from '../pages/local-path.ts'
import { panel, sendOn, sendPage } from '../pages/page.ts'
import { type FederationParts, type Trip, pathOf, queryOf, refuseSignIn, tieBrowser } from './trip.ts'
import { randomHandle } from './attempts.ts'

/** Asks whoever was led here from another site. */
export function ask({ res, provider }: Trip, word: 'start' | 'prove', next: string | undefined): void {
  const query = next === undefined ? '' : `?${new URLSearchParams({ next }).toString()}`
  sendPage(res, {
    title: 'Sign in',
    body: panel(
      `Sign in with ${provider.title}?`,
      'Another site led you here. Go on only if you want to sign in to Castellan.',
      html`<p class="actions">
        <a class="button primary" href="${pathOf(provider.name, word)}${query}">Go on</a>
        <a class="button quiet" href="${word === 'start' ? '/sign-in' : '/account'}">Stay</a>
      </p>`,
    ),
  })
}

/**
 * The address at the provider that a person is sent to.
 * @param proving whoever is signed in already, and is to prove it once more
 */
export async function addressOf(
  parts: FederationParts,
  trip: Trip,
  { configuration, proving }: { readonly configuration: oidc.Configuration; readonly proving?: object },
): Promise<URL> {
  const { provider } = trip
  const { scopes, mfa, signInMaxAgeSeconds } = provider.settings
  const next = readLocalPath(queryOf(trip.req).get('next'))
  const [verifier, nonce] = [randomHandle(), randomHandle()]
  const bound = { provider: provider.name, step: 'callback', browser: tieBrowser(parts, trip) } as const
  const state = await parts.attempts.begin(bound, { verifier, nonce, next, proving })
  return oidc.buildAuthorizationUrl(configuration, {
    redirect_uri: parts.places.gatewayUrl + pathOf(provider.name, 'callback'),
    scope: scopes.join(' '),
    state,
    nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(mfa.acr.length === 0 ? {} : { acr_values: mfa.acr.join(' ') }),
    ...(signInMaxAgeSeconds === undefined ? {} : { max_age: String(signInMaxAgeSeconds) }),
    // SPEC: OpenID Connect Core 1.0, section 3.1.2.1: whoever is signed in there proves themselves anew, and it says when.
    ...(proving === undefined ? {} : { prompt: 'login', max_age: '0' }),
  })
}

export async function answerStart(parts: FederationParts, trip: Trip): Promise<void> {
  const site = trip.req.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return ask(trip, 'start', readLocalPath(queryOf(trip.req).get('next')))
  }
  const client = await parts.clients.of(trip.provider)
  if (isRefusal(client)) return refuseSignIn(parts, trip, client)
  sendOn(trip.res, (await addressOf(parts, trip, client)).href, true)
}
