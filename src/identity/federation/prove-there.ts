/**
 * `/sso/<provider>/prove`: is it still they? A signed-in person signs in anew at the provider, which says when and how.
 * Stops: a session at the provider that goes on standing for a proof; another account than that of this person.
 * Trusts: the provider's signed answer. Fails closed: whatever does not hold is a refusal, on record, and proves nothing.
 * @see OpenID Connect Core 1.0, section 3.1.2.1 (`prompt`, `max_age`); ASVS 6.8.4, 7.5.1, 7.5.3
 */
import { type Refusal, isRefusal, refuse, systemClock } from '#kernel'
import { z } from 'zod'
import { changeRefused } from '../events.ts'
import { readLocalPath } from '../pages/local-path.ts'
import { sendOn } from '../pages/page.ts'
import { sendProblem } from '../pages/problem-page.ts'
import { createProviderProofs } from '../step-up/provider-proofs.ts'
import { whyNot } from './admit.ts'
import type { Asserted } from './claims.ts'
import { toleranceSeconds } from './client.ts'
import { federationRefusals } from './refusals.ts'
import { addressOf, ask } from './start.ts'
import { type FederationParts, type Trip, queryOf } from './trip.ts'

/** How long the way back from the provider may take. */
export const longestProofSeconds = 600

/** Who is to prove it. */
export const provingShape = z.strictObject({
  personId: z.string(),
  name: z.string(),
  sessionId: z.string(),
  /** Milliseconds of the system's clock, which is what a provider's is held against. */
  begunAt: z.number(),
})
type Proving = z.infer<typeof provingShape>

interface Answer {
  readonly asserted: Asserted
  readonly authTime: unknown
  readonly proving: Proving
  readonly next: string
}

/** Leads whoever is signed in to the provider. */
export async function answerProve(parts: FederationParts, trip: Trip): Promise<void> {
  const { req, res, visit } = trip
  const next = readLocalPath(queryOf(req).get('next')) ?? '/account'
  const site = req.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return ask(trip, 'prove', next)
  const { principal } = (await parts.browser.find(req, visit.address)) ?? {}
  if (principal === undefined) return sendOn(res, `/sign-in?${new URLSearchParams({ next }).toString()}`)
  const client = await parts.clients.of(trip.provider)
  if (isRefusal(client)) return sendProblem(res, client, { back: next })
  const { id: personId, name, credential } = principal
  const proving: Proving = { personId, name, sessionId: credential.id, begunAt: systemClock.now() }
  sendOn(res, (await addressOf(parts, trip, { ...client, proving })).href)
}

async function judge(parts: FederationParts, trip: Trip, answer: Answer): Promise<Refusal | undefined> {
  const { asserted, authTime, proving } = answer
  const { principal } = (await parts.browser.find(trip.req, trip.visit.address)) ?? {}
  if (principal?.credential.id !== proving.sessionId)
    return refuse(federationRefusals.attemptUnknown, { detail: { reason: 'another-session' } })
  const earliest = proving.begunAt / 1000 - toleranceSeconds
  // INVARIANT: a session that was there before proves nothing, also at a provider that does not ask again.
  if (typeof authTime !== 'number' || authTime < earliest)
    return refuse(federationRefusals.providerSignInRefused, { detail: { reason: 'not-signed-in-anew' } })
  const reason = await whyNot(parts.database.query, trip.provider, { asserted, personId: proving.personId })
  return reason === undefined ? undefined : refuse(federationRefusals.providerSignInRefused, { detail: { reason } })
}

/** Keeps what the provider said as a proof, once, for the session that asked for it. */
export async function keepProof(parts: FederationParts, trip: Trip, answer: Answer): Promise<void> {
  const { provider, res, visit } = trip
  const { asserted, proving, next } = answer
  const refusal = await judge(parts, trip, answer)
  if (refusal !== undefined) {
    await parts.ledger.append(changeRefused, {
      principal: { id: proving.personId, name: proving.name },
      address: visit.address,
      outcome: 'refused',
      refusal: refusal.code,
      details: { provider: provider.name, subject: asserted.subject, ...refusal.detail },
    })
    return sendProblem(res, refusal, { back: next })
  }
  const { subject, sid, issuedAt, hasSecondFactor } = asserted
  const told = { issuer: provider.issuer, subject, ...(sid === undefined ? {} : { sid }), issuedAt, hasSecondFactor }
  const proof = await createProviderProofs(parts).keep(provider.name, proving, told)
  const there = new URL(next, 'http://local.invalid')
  there.searchParams.set('proof', proof)
  sendOn(res, there.pathname + there.search)
}
