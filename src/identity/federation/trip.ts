/**
 * What is one request below `/sso/`, to the parts that answer it? The provider, the browser, and how a refusal is told.
 * Stops: an answer without its record; a cookie of another origin standing for this browser.
 * Trusts: the gateway's doorway. Fails: what cannot be recorded is not told; the gateway's last resort answers.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Actor, Parts } from '../parts.ts'
import type { Refusal } from '#kernel'
import { signInRefused } from '../events.ts'
import type { Visit } from '../front/front.ts'
import type { BrowserSessions } from '../pages/browser-session.ts'
import { cookieNames, readCookie } from '../pages/cookies.ts'
import type { Forms } from '../pages/form.ts'
import { sendProblem } from '../pages/problem-page.ts'
import type { Attempts } from './attempts.ts'
import { isHandle, randomHandle } from './attempts.ts'
import type { ProviderClients } from './client.ts'
import type { Provider } from './settings.ts'

/** What every part of federation is built from. */
export interface FederationParts extends Parts {
  readonly attempts: Attempts
  readonly clients: ProviderClients
  readonly browser: BrowserSessions
  readonly forms: Forms
}

/** One request, at a provider that exists. */
export interface Trip {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly visit: Visit
  readonly provider: Provider
}

const browserSeconds = 15 * 60

/** The path of one step at a provider. */
export function pathOf(provider: string, step: string): string {
  return `/sso/${provider}/${step}`
}

export function queryOf(req: IncomingMessage): URLSearchParams {
  return new URL(req.url ?? '/', 'http://local.invalid').searchParams
}

/** The cookie that ties an attempt to its browser; undefined when this browser has begun none. */
export function browserOf({ places }: Pick<Parts, 'places'>, req: IncomingMessage): string | undefined {
  const value = readCookie(req, `${cookieNames(places.gatewayUrl).session}-sso`)
  return value !== undefined && isHandle(value) ? value : undefined
}

/** The same, given to a browser that has none; it lasts a little longer than an attempt. */
export function tieBrowser(parts: Pick<Parts, 'places'>, { req, res }: Trip): string {
  const { session, isSecure } = cookieNames(parts.places.gatewayUrl)
  const value = browserOf(parts, req) ?? randomHandle()
  // WHY: `Lax`, because the provider's answer comes by a link from there.
  const attributes = [
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
    `Max-Age=${browserSeconds}`,
    ...(isSecure ? ['Secure'] : []),
  ]
  res.appendHeader('set-cookie', [`${session}-sso=${value}`, ...attributes].join('; '))
  return value
}

/** Tells a person that they were not signed in, once that is on record. */
export async function refuseSignIn(
  { ledger }: Pick<Parts, 'ledger'>,
  { res, visit, provider }: Trip,
  refusal: Refusal,
  person?: Actor,
): Promise<void> {
  await ledger.append(signInRefused, {
    ...(person === undefined ? {} : { principal: { id: person.id, name: person.name } }),
    address: visit.address,
    outcome: 'refused',
    refusal: refusal.code,
    details: { provider: provider.name, ...refusal.detail },
  })
  sendProblem(res, refusal, { back: '/sign-in' })
}
