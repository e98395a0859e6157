/**
 * May this session make an access token? With a second factor, for one resource, with an end.
 * Stops a stolen session without second factor from becoming a lasting credential.
 * Trusts the session, read again in the same transaction. Fails closed: no entry in the ledger, no token.
 * @see RFC 8707 (resource indicators)
 */
import { createId, isRefusal, type Principal, type Refusal, refuse } from '#kernel'
import { tokenMinted, tokenRefused } from '../events.ts'
import { readLine } from '../names.ts'
import type { IdentitySettings, Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { createToken, hashToken } from './opaque-token.ts'
import { hasSecondFactor, readFactors } from './principals.ts'
import { canonicalResource } from './resource.ts'
import { findProvable } from '../sign-in/prove-factors.ts'
import { sessionLimit } from './sessions.ts'
import { type AccessTokenView, tokenView } from './token-view.ts'

const mostTokensPerPerson = 100
const shortestSeconds = 60
const daySeconds = 86_400

export interface MintRequest {
  /** From `authenticateSession`. */
  readonly principal: Principal
  readonly label: string
  readonly resource: string
  /** Whole seconds, from 60 to `identity.accessTokenDays`. */
  readonly ttlSeconds: number
  readonly address?: string | undefined
}

export interface MintedToken {
  /** `cst_…`: shown once. */
  readonly token: string
  readonly view: AccessTokenView
}

function read(
  settings: IdentitySettings,
  { label, resource, ttlSeconds }: MintRequest,
): { label: string; resource: string } | Refusal {
  const line = readLine(label)
  if (line === undefined) return refuse(refusals.labelInvalid)
  const canonical = canonicalResource(resource)
  if (canonical === undefined) return refuse(refusals.resourceInvalid, { names: { resource } })
  const isLifetime =
    Number.isInteger(ttlSeconds) && ttlSeconds >= shortestSeconds && ttlSeconds <= settings.accessTokenDays * daySeconds
  if (!isLifetime) return refuse(refusals.lifetimeInvalid, { names: { days: String(settings.accessTokenDays) } })
  return { label: line, resource: canonical }
}

/** Whether the session may mint at this moment: read again, since the principal was made before. */
async function refuseMinter(
  parts: Parts,
  transaction: Query,
  { id, credential }: Principal,
): Promise<Refusal | undefined> {
  const { clock, settings } = parts
  const session = await transaction
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .select(['factors', 'expires_at', 'last_seen_at', 'ended_at', 'status'])
    .where('sessions.id', '=', credential.kind === 'session' ? credential.id : '')
    .where('person_id', '=', id)
    .executeTakeFirst()
  const holds = session?.ended_at === null && session.status === 'active' && !sessionLimit(session, parts)
  if (!holds) return refuse(refusals.sessionInvalid)
  if (!hasSecondFactor(readFactors(session.factors))) {
    const own = await findProvable(transaction, { id })
    const hasFactor = own?.totp !== undefined || own?.hasPasskey === true
    if (settings.secondFactor === 'required' || hasFactor) return refuse(refusals.secondFactorNeeded)
  }
  const { count } = await transaction
    .selectFrom('access_tokens')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('person_id', '=', id)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', clock.now())
    .executeTakeFirstOrThrow()
  return count >= mostTokensPerPerson ? refuse(refusals.tooManyTokens) : undefined
}

async function mint(parts: Parts, request: MintRequest): Promise<MintedToken | Refusal> {
  const { clock, settings } = parts
  const asked = read(settings, request)
  if (isRefusal(asked)) return asked
  const { principal, ttlSeconds, address } = request
  const now = clock.now()
  const token = createToken('access-token')
  const row = {
    ...asked,
    id: createId(now),
    person_id: principal.id,
    factors: JSON.stringify(principal.factors),
    created_at: now,
    expires_at: now + ttlSeconds * 1000,
    revoked_at: null,
    revoked_by: null,
  }
  return recordChange(parts, {
    async work(transaction) {
      const refusal = await refuseMinter(parts, transaction, principal)
      if (refusal) return refusal
      await transaction
        .insertInto('access_tokens')
        .values({ ...row, token_hash: hashToken(token) })
        .execute()
      return { token, view: tokenView(row) }
    },
    tell: ({ view: { id, label, resource, expiresAt } }) => [
      tokenMinted,
      {
        principal,
        address,
        outcome: 'succeeded',
        details: { credential: id, label, resource, expiresAt: new Date(expiresAt).toISOString() },
      },
    ],
  })
}

/** A new token, or why not. Either answer is in the ledger before it is given. */
export async function mintToken(parts: Parts, request: MintRequest): Promise<MintedToken | Refusal> {
  const minted = await mint(parts, request)
  if (!isRefusal(minted)) return minted
  const { principal, address } = request
  await parts.ledger.append(tokenRefused, { principal, address, outcome: 'refused', refusal: minted.code })
  return minted
}
