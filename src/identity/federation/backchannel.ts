/**
 * `/sso/<provider>/backchannel-logout`: does the provider say that somebody signed out there? Then they are out here.
 * Stops: forged, replayed, old or mistyped logout tokens, an ID token in place of one, one for another client or issuer.
 * Trusts: keys of the configured issuer alone. Fails closed: no token that is wrong ends anything; what cannot be
 * recorded is not acknowledged, so the provider tries again.
 * @see OpenID Connect Back-Channel Logout 1.0, sections 2.4 to 2.8; ASVS 10.5.5
 */
import { hash } from 'node:crypto'
import { type Refusal, isRefusal, refuse } from '#kernel'
import { jwtVerify } from 'jose'
import { z } from 'zod'
import { isFields, mostFormBytes, readForm } from '../pages/form.ts'
import { plainHeaders } from '../pages/page.ts'
import { castellan } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { reasonOf, toleranceSeconds } from './client.ts'
import { endSessionsOf } from './end-sessions.ts'
import { providerLogout, providerLogoutRefused } from './events.ts'
import { federationRefusals } from './refusals.ts'
import type { FederationParts, Trip } from './trip.ts'

const eventName = 'http://schemas.openid.net/event/backchannel-logout'
/** A logout is told at once; an older token is somebody else's copy. */
const mostAgeSeconds = 300
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const keptMs = 24 * 60 * 60_000

const claims = z
  .looseObject({
    iat: z.number(),
    jti: z.string().min(1).max(500),
    sub: z.string().min(1).max(255).optional(),
    sid: z.string().min(1).max(500).optional(),
    events: z.looseObject({ [eventName]: z.looseObject({}) }),
  })
  .refine((read) => !Object.hasOwn(read, 'nonce'), 'has a nonce')
  .refine((read) => read.sub !== undefined || read.sid !== undefined, 'names neither a subject nor a session')

type LogoutClaims = z.infer<typeof claims>

function invalid(problem: string): Refusal {
  return refuse(federationRefusals.logoutTokenInvalid, { detail: { problem } })
}

async function verify(parts: FederationParts, { provider }: Trip, token: string): Promise<LogoutClaims | Refusal> {
  const client = await parts.clients.of(provider)
  if (isRefusal(client)) return client
  try {
    const { payload } = await jwtVerify(token, client.keys, {
      issuer: provider.issuer,
      audience: provider.clientId,
      typ: 'logout+jwt',
      algorithms,
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
      maxTokenAge: mostAgeSeconds,
      clockTolerance: toleranceSeconds,
      currentDate: new Date(parts.clock.now()),
    })
    return claims.parse(payload)
  } catch (error) {
    return invalid(error instanceof z.ZodError ? (error.issues[0]?.message ?? 'malformed') : reasonOf(error))
  }
}

interface Told {
  readonly sessions: number
  readonly grants: number
  readonly people: readonly string[]
}

function apply(parts: FederationParts, { provider, visit }: Trip, told: LogoutClaims): Promise<Told | Refusal> {
  const { issuer, name } = provider
  const { sub: subject, sid } = told
  const nowMs = parts.clock.now()
  return recordChange<Told>(parts, {
    async work(transaction) {
      await transaction.deleteFrom('provider_logouts').where('expires_at', '<=', nowMs).execute()
      const inserted = await transaction
        .insertInto('provider_logouts')
        .values({
          id_hash: hash('sha256', JSON.stringify([issuer, told.jti])),
          issuer,
          subject: subject ?? null,
          sid: sid ?? null,
          issued_at: told.iat * 1000,
          expires_at: nowMs + keptMs,
        })
        .onConflict((conflict) => conflict.column('id_hash').doNothing())
        .returning('id_hash')
        .executeTakeFirst()
      if (inserted === undefined) return invalid('was used before')
      const ending = { by: castellan, reason: `signed out at ${name}`, nowMs }
      return endSessionsOf(transaction, { issuer, subject, sid }, ending)
    },
    tell: (ended) => [
      providerLogout,
      {
        principal: castellan,
        address: visit.address,
        outcome: 'succeeded',
        details: { provider: name, issuer, ...(subject === undefined ? {} : { subject }), ...ended },
      },
    ],
  })
}

function send({ res }: Trip, status: number, body: string): void {
  res.writeHead(status, {
    ...plainHeaders,
    // WHY: what was not read is still on its way; the next request would begin in the middle of it.
    ...(status === 200 ? {} : { connection: 'close' }),
    'cache-control': 'no-store',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  res.end(body)
}

export async function answerBackchannel(parts: FederationParts, trip: Trip): Promise<void> {
  const { req, visit, provider } = trip
  const fields = await readForm(req, mostFormBytes)
  const token = isFields(fields) ? fields.get('logout_token') : undefined
  const read = token === undefined ? invalid('is not there') : await verify(parts, trip, token)
  const told = isRefusal(read) ? read : await apply(parts, trip, read)
  if (!isRefusal(told)) return send(trip, 200, '')
  await parts.ledger.append(providerLogoutRefused, {
    address: visit.address,
    outcome: 'refused',
    refusal: told.code,
    details: { provider: provider.name, ...told.detail },
  })
  send(
    trip,
    told.status,
    JSON.stringify({ error: told.status === 400 ? 'invalid_request' : 'temporarily_unavailable' }),
  )
}
