/**
 * May whoever was recognised come in? With a second factor, shown there or proved here, and while nothing has ended.
 * Stops: a provider's single factor where two are asked for; a session that begins after its account was logged out.
 * Trusts: what the provider's answer asserted, kept sealed. Fails closed: in doubt there is no session.
 * @see ASVS 6.3.3, 6.3.4, 6.8.4; OpenID Connect Back-Channel Logout 1.0, section 2.7
 */
import { type Factor, type Refusal, isRefusal, refuse } from '#kernel'
import type { Parts, Query } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { admitPerson } from '../sign-in/admit-person.ts'
import { findProvable } from '../sign-in/prove-factors.ts'
import type { SignedIn } from '../sign-in/sign-in.ts'
import type { Asserted } from './claims.ts'
import { federationRefusals } from './refusals.ts'
import type { Provider } from './settings.ts'

/** What is kept of an answer until the session begins. */
export interface Answered {
  readonly personId: string
  readonly asserted: Asserted
  readonly idToken: string
}

export interface From {
  readonly address: string
  readonly agent: string | undefined
}

const keptMs = 25 * 60 * 60_000

/** Where the ID token of a session is sealed to. */
export function idTokenPlace(sessionId: string): string {
  return `provider_sessions/sealed_id_token/${sessionId}`
}

/** Whether the person has to prove a factor of their own, by the rules for everybody else. */
export async function needsOwnFactor(parts: Parts, { personId, asserted }: Answered): Promise<boolean | Refusal> {
  if (asserted.hasSecondFactor) return false
  const person = await findProvable(parts.database.query, { id: personId })
  const has = person?.totp !== undefined
  // INVARIANT: who has a second factor is asked for it, however they sign in.
  if (!has && (person?.hasPasskey === true || parts.settings.secondFactor === 'required'))
    return refuse(federationRefusals.secondFactorMissing, { detail: { reason: 'no-second-factor', person: personId } })
  return has
}

/** Whose account answered, by which session of it, and when. */
type Told = Pick<Asserted, 'subject' | 'sid' | 'issuedAt'>

/** Whether the provider has told that this account, or this session of it, was signed out since. */
async function isLoggedOut(transaction: Query, issuer: string, { subject, sid, issuedAt }: Told): Promise<boolean> {
  const told = await transaction
    .selectFrom('provider_logouts')
    .select(['subject', 'sid', 'issued_at'])
    .where('issuer', '=', issuer)
    .where((where) =>
      where.or([where('subject', '=', subject), ...(sid === undefined ? [] : [where('sid', '=', sid)])]),
    )
    .execute()
  return told.some((one) => (one.sid === null ? one.issued_at >= issuedAt * 1000 : one.sid === sid))
}

/** Why an answer of a provider does not stand for this person at this moment. */
export async function whyNot(
  transaction: Query,
  provider: Pick<Provider, 'name' | 'issuer'>,
  { asserted, personId }: { readonly personId: string; readonly asserted: Told },
): Promise<string | undefined> {
  const { name, issuer } = provider
  const found = await transaction.selectFrom('providers').select('issuer').where('name', '=', name).executeTakeFirst()
  if (found?.issuer !== issuer) return 'provider-removed'
  const identity = await transaction
    .selectFrom('provider_identities')
    .select('person_id')
    .where('issuer', '=', issuer)
    .where('subject', '=', asserted.subject)
    .executeTakeFirst()
  if (identity?.person_id !== personId) return 'unlinked'
  return (await isLoggedOut(transaction, issuer, asserted)) ? 'logged-out-meanwhile' : undefined
}

export interface Admitting {
  readonly provider: Provider
  readonly answered: Answered
  readonly from: From
  /** Proves and spends the person's own factor in the transaction; absent where none is needed. */
  spend?(transaction: Query): Promise<Refusal | readonly Factor[]>
}

/** A session for whoever was recognised. Refusals are the caller's to record. */
export function admit(parts: Parts, { provider, answered, from, spend }: Admitting): Promise<SignedIn | Refusal> {
  const { personId, asserted, idToken } = answered
  const { subject, sid, hasSecondFactor } = asserted
  const shown: readonly Factor[] = hasSecondFactor
    ? ['identity-provider', 'identity-provider-mfa']
    : ['identity-provider']
  return admitPerson(parts, {
    personId,
    factors: shown,
    ...from,
    details: { provider: provider.name, issuer: provider.issuer, subject },
    async within(transaction, nowMs, sessionId) {
      const reason = await whyNot(transaction, provider, answered)
      if (reason !== undefined) return refuse(refusals.signInRefused, { detail: { reason } })
      const own = await spend?.(transaction)
      if (isRefusal(own)) return own
      await transaction
        .deleteFrom('provider_sessions')
        .where('created_at', '<', nowMs - keptMs)
        .execute()
      const row = { session_id: sessionId, provider: provider.name, issuer: provider.issuer, subject, sid: sid ?? null }
      const sealed_id_token = parts.sealer.seal(Buffer.from(idToken), idTokenPlace(sessionId))
      await transaction
        .insertInto('provider_sessions')
        .values({ ...row, person_id: personId, sealed_id_token, created_at: nowMs })
        .execute()
      return [...shown, ...(own ?? [])]
    },
  })
}
