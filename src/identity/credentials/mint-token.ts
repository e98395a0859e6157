/**
 * May this session make an access token, its own or a service account's? With a second factor, for one resource, with an
 * end.
 * Stops a stolen session without second factor from becoming a lasting credential; a token that outlives its account.
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
import { readAccount } from '../service-accounts/read-accounts.ts'
import { findProvable } from '../sign-in/prove-factors.ts'
import { signInBehind } from '../terminals/sign-in-behind.ts'
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
  /** Makes it for a service account: the caller may, or is its owner. It ends no later than the account. */
  readonly account?: { readonly id: string; readonly ownerId?: string | undefined } | undefined
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
async function refuseMinter(parts: Parts, transaction: Query, principal: Principal): Promise<Refusal | undefined> {
  const { settings, clock } = parts
  const signIn = await signInBehind(transaction, principal)
  if (signIn?.status !== 'active') return refuse(refusals.sessionInvalid)
  // WHY: of a terminal the idle limit is in the life of its tokens.
  const { factors, expires_at, last_seen_at = clock.now() } = signIn
  if (sessionLimit({ expires_at, last_seen_at }, parts)) return refuse(refusals.sessionInvalid)
  if (hasSecondFactor(readFactors(factors))) return undefined
  const own = await findProvable(transaction, { id: principal.id })
  const hasFactor = own?.totp !== undefined || own?.hasPasskey === true
  return settings.secondFactor === 'required' || hasFactor ? refuse(refusals.secondFactorNeeded) : undefined
}

async function refuseAnother(transaction: Query, holderId: string, nowMs: number): Promise<Refusal | undefined> {
  const { count } = await transaction
    .selectFrom('access_tokens')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('person_id', '=', holderId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', nowMs)
    .executeTakeFirstOrThrow()
  return count >= mostTokensPerPerson ? refuse(refusals.tooManyTokens) : undefined
}

/** Whose token it becomes, what it proves, and its last moment. */
async function holderOf(transaction: Query, { principal, account }: MintRequest, nowMs: number) {
  const { id, factors, factorsAt = null } = principal
  if (account === undefined) {
    return { person_id: id, minted_by: null, factors, proved_at: factorsAt, endsAt: Number.POSITIVE_INFINITY }
  }
  const found = await readAccount(transaction, nowMs, account.id)
  const isMeant = account.ownerId === undefined || found?.owner.id === account.ownerId
  if (found === undefined || !isMeant) return refuse(refusals.accountUnknown)
  const state = found.state === 'unowned' ? 'without an active owner' : found.state
  if (state !== 'active') return refuse(refusals.accountEnded, { names: { state } })
  // INVARIANT: what whoever made it had proved is nothing that the program proves.
  return { person_id: found.id, minted_by: id, factors: ['client-secret'], proved_at: null, endsAt: found.expiresAt }
}

async function mint(parts: Parts, request: MintRequest): Promise<MintedToken | Refusal> {
  const { clock, settings } = parts
  const asked = read(settings, request)
  if (isRefusal(asked)) return asked
  const { principal, ttlSeconds, address, account } = request
  const now = clock.now()
  const token = createToken('access-token')
  const row = {
    ...asked,
    id: createId(now),
    created_at: now,
    revoked_at: null,
    revoked_by: null,
  }
  return recordChange(parts, {
    async work(transaction) {
      const refusal = await refuseMinter(parts, transaction, principal)
      if (refusal) return refusal
      const holder = await holderOf(transaction, request, now)
      if (isRefusal(holder)) return holder
      const { endsAt, factors, ...whose } = holder
      const another = await refuseAnother(transaction, whose.person_id, now)
      if (another) return another
      const expires_at = Math.min(endsAt, now + ttlSeconds * 1000)
      const made = { ...row, ...whose, factors: JSON.stringify(factors), expires_at }
      await transaction
        .insertInto('access_tokens')
        .values({ ...made, token_hash: hashToken(token) })
        .execute()
      return { token, view: tokenView(made) }
    },
    tell: ({ view: { id, label, resource, expiresAt } }) => [
      tokenMinted,
      {
        principal,
        address,
        outcome: 'succeeded',
        details: {
          credential: id,
          label,
          resource,
          expiresAt: new Date(expiresAt).toISOString(),
          ...(account === undefined ? {} : { account: account.id }),
        },
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
