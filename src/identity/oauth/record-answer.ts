/**
 * What of the authorization server's answers goes into the ledger? Each token given, each one ended, each refusal.
 * Stops: a token that leaves before its record is durable.
 * Trusts: the ledger's receipt. Fails: closed: without one the client gets an error, and what was made for it nobody has.
 */
import type { EntryFields, EventDefinition } from '#audit'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { clientRefused, grantRefused, oauthTokenIssued, oauthTokenRefused, oauthTokenRevoked } from './events.ts'
import type { OauthParts } from './parts.ts'
import { problemOf } from './problem.ts'
import { presentVisit } from './visiting.ts'

const longestShown = 300

const refusedEvents: Readonly<Record<string, EventDefinition>> = {
  token: oauthTokenRefused,
  revocation: oauthTokenRefused,
  introspection: oauthTokenRefused,
  authorization: grantRefused,
  resume: grantRefused,
  device_authorization: grantRefused,
  pushed_authorization_request: grantRefused,
  registration: clientRefused,
}

function short(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, longestShown) : undefined
}

function textOf(body: unknown, member: string): string | undefined {
  return typeof body === 'object' && body !== null && member in body
    ? short((body as Record<string, unknown>)[member])
    : undefined
}

/** SPEC: RFC 8628, section 3.5: a device that asks again has not been refused. */
const isWaiting = (error: string | undefined): boolean => error === 'authorization_pending' || error === 'slow_down'

function clientOf({ oidc }: KoaContextWithOIDC): string | undefined {
  const { client_id: named } = (oidc.params ?? {}) as Record<string, unknown>
  return oidc.client?.clientId ?? short(named)
}

function refusedEntry(ctx: KoaContextWithOIDC, address: string): readonly [EventDefinition, EntryFields] | undefined {
  const { route } = ctx.oidc
  const event = refusedEvents[route]
  const location = ctx.response.get('location')
  const told = URL.canParse(location) ? new URL(location).searchParams : undefined
  const error = told?.get('error') ?? textOf(ctx.body, 'error') ?? problemOf(ctx)?.error
  if (event === undefined || error === undefined || isWaiting(error)) return undefined
  const grantType = short((ctx.oidc.params as Record<string, unknown> | undefined)?.['grant_type'])
  const details = {
    client: clientOf(ctx) ?? null,
    says:
      told?.get('error_description') ??
      textOf(ctx.body, 'error_description') ??
      problemOf(ctx)?.error_description ??
      null,
    reason: short(ctx.state['oauthReason']) ?? null,
    ...(grantType === undefined ? {} : { grantType }),
  }
  return [event, { address, outcome: 'refused', refusal: `oauth.${error}`, details }]
}

function tokenEntry(ctx: KoaContextWithOIDC, address: string): readonly [EventDefinition, EntryFields] | undefined {
  const { AccessToken: person, ClientCredentials: own, RefreshToken: refresh } = ctx.oidc.entities
  const token = person ?? own
  if (ctx.oidc.route === 'revocation' && (token ?? refresh) !== undefined) {
    const details = { client: clientOf(ctx) ?? null, token: refresh === undefined ? 'access' : 'refresh' }
    return [oauthTokenRevoked, { address, outcome: 'succeeded', details }]
  }
  if (ctx.oidc.route !== 'token' || token === undefined) return undefined
  const { accountId } = ctx.oidc.account ?? {}
  const details = {
    client: clientOf(ctx) ?? null,
    grant: person?.grantId ?? null,
    grantType: short((ctx.oidc.params as Record<string, unknown>)['grant_type']) ?? null,
    resource: typeof token.aud === 'string' ? token.aud : null,
    scope: token.scope ?? null,
    isBound: token.isSenderConstrained(),
    ...(accountId === undefined ? {} : { person: accountId }),
    ...(ctx.state['oauthDetails'] as Readonly<Record<string, unknown>> | undefined),
  }
  return [oauthTokenIssued, { address, outcome: 'succeeded', details }]
}

/** The entry of a token that is about to be given; undefined when there is none. */
export function issuedEntry(ctx: KoaContextWithOIDC): readonly [EventDefinition, EntryFields] | undefined {
  const visit = presentVisit()
  const entry = visit && tokenEntry(ctx, visit.address)
  return visit && entry && [entry[0], { ...entry[1], exchange: visit.exchangeId }]
}

/** Records an answer before it is sent. @throws whatever the ledger throws, with nothing sent */
export async function recordAnswer({ ledger }: Pick<OauthParts, 'ledger'>, ctx: KoaContextWithOIDC): Promise<void> {
  const visit = presentVisit()
  if (ctx.oidc?.route === undefined || visit === undefined) return
  const isRevoked = ctx.oidc.route === 'revocation' && ctx.status === 200
  const entry = refusedEntry(ctx, visit.address) ?? (isRevoked ? tokenEntry(ctx, visit.address) : undefined)
  if (entry === undefined) return
  const [event, fields] = entry
  await ledger.append(event, { ...fields, exchange: visit.exchangeId })
}
