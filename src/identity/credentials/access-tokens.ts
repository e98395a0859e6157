/**
 * Which access tokens does a person have? 256 random bits each, for one resource, with an end, revocable at once.
 * Stops a stolen session without second factor from becoming a lasting credential, and tokens without an end.
 * Trusts the session that mints, read again in the same transaction. Fails closed: no entry in the ledger, no token.
 * @see RFC 8707 (resource indicators), ASVS 7.2
 */
import { createId, type Factor, isRefusal, type Principal, type Refusal, refuse } from '#kernel'
import { tokenMinted, tokenRefused, tokenRevoked } from '../events.ts'
import { readLine } from '../names.ts'
import { createToken, hashToken } from './opaque-token.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { hasSecondFactor, readFactors } from './principals.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { sessionLimit } from './sessions.ts'
import { canonicalResource } from './resource.ts'

const mostTokensPerPerson = 100
const shortestSeconds = 60
const daySeconds = 86_400

/** What is shown of an access token. Times in wall-clock milliseconds. */
export interface AccessTokenView {
  readonly id: string
  readonly personId: string
  readonly label: string
  /** In canonical spelling, without a slash at the end. */
  readonly resource: string
  readonly factors: readonly Factor[]
  readonly createdAt: number
  readonly expiresAt: number
  readonly revokedAt?: number
  readonly revokedBy?: string
}

export interface MintRequest {
  /** From `authenticateSession`. */
  readonly principal: Principal
  readonly label: string
  readonly resource: string
  /** Whole seconds, from 60 to `identity.accessTokenDays`. */
  readonly ttlSeconds: number
  readonly address?: string
}

export interface AccessTokens {
  mint(request: MintRequest): Promise<{ token: string; view: AccessTokenView } | Refusal>
  /** Newest first, revoked and expired ones too, at most 1000; of everybody without a person. */
  list(personId?: string): Promise<AccessTokenView[]>
  /** @param ownerId when given, only a token of this person; another's is unknown */
  revoke(id: string, by: Actor, ownerId?: string): Promise<AccessTokenView | Refusal>
}

interface Row {
  readonly id: string
  readonly person_id: string
  readonly label: string
  readonly resource: string
  readonly factors: string
  readonly created_at: number
  readonly expires_at: number
  readonly revoked_at: number | null
  readonly revoked_by: string | null
}

function viewOf(row: Row): AccessTokenView {
  return {
    id: row.id,
    personId: row.person_id,
    label: row.label,
    resource: row.resource,
    factors: readFactors(row.factors),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
    ...(row.revoked_by === null ? {} : { revokedBy: row.revoked_by }),
  }
}

/** Revokes the tokens of a person that hold, in a transaction that has its own entry. */
export async function revokeTokens(
  transaction: Query,
  revoked: { personId: string; by: Actor; nowMs: number },
): Promise<number> {
  const outcome = await transaction
    .updateTable('access_tokens')
    .set({ revoked_at: revoked.nowMs, revoked_by: revoked.by.id })
    .where('person_id', '=', revoked.personId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(outcome.numUpdatedRows)
}

export function createAccessTokens(parts: Parts): AccessTokens {
  const { database, ledger, clock, settings } = parts

  function read({ label, resource, ttlSeconds }: MintRequest): { label: string; resource: string } | Refusal {
    const line = readLine(label)
    if (line === undefined) return refuse(refusals.labelInvalid)
    const canonical = canonicalResource(resource)
    if (canonical === undefined) return refuse(refusals.resourceInvalid, { names: { resource } })
    const isLifetime =
      Number.isInteger(ttlSeconds) &&
      ttlSeconds >= shortestSeconds &&
      ttlSeconds <= settings.accessTokenDays * daySeconds
    if (!isLifetime) return refuse(refusals.lifetimeInvalid, { names: { days: String(settings.accessTokenDays) } })
    return { label: line, resource: canonical }
  }

  /** Whether the session may mint at this moment: read again, since the principal was made before. */
  async function refuseMinter(transaction: Query, { id, credential }: Principal): Promise<Refusal | undefined> {
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
      const factor = await transaction
        .selectFrom('second_factors')
        .select('id')
        .where('person_id', '=', id)
        .executeTakeFirst()
      if (settings.secondFactor === 'required' || factor) return refuse(refusals.secondFactorNeeded)
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

  async function mint(request: MintRequest): Promise<{ token: string; view: AccessTokenView } | Refusal> {
    const asked = read(request)
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
        const refusal = await refuseMinter(transaction, principal)
        if (refusal) return refusal
        await transaction
          .insertInto('access_tokens')
          .values({ ...row, token_hash: hashToken(token) })
          .execute()
        return { token, view: viewOf(row) }
      },
      tell: ({ view: { id, label, resource, expiresAt } }) => [
        tokenMinted,
        {
          principal,
          ...(address === undefined ? {} : { address }),
          outcome: 'succeeded',
          details: { credential: id, label, resource, expiresAt: new Date(expiresAt).toISOString() },
        },
      ],
    })
  }

  return {
    async mint(request) {
      const minted = await mint(request)
      if (!isRefusal(minted)) return minted
      const address = request.address === undefined ? {} : { address: request.address }
      await ledger.append(tokenRefused, {
        principal: request.principal,
        ...address,
        outcome: 'refused',
        refusal: minted.code,
      })
      return minted
    },

    async list(personId) {
      const all = database.query.selectFrom('access_tokens').selectAll().orderBy('id', 'desc').limit(1000)
      const rows = await (personId === undefined ? all : all.where('person_id', '=', personId)).execute()
      return rows.map(viewOf)
    },

    revoke(id, by, ownerId) {
      const end = { revoked_at: clock.now(), revoked_by: by.id }
      return recordChange<AccessTokenView>(parts, {
        async work(transaction) {
          const found = transaction
            .selectFrom('access_tokens')
            .selectAll()
            .where('id', '=', id)
            .where('revoked_at', 'is', null)
          const row = await (ownerId === undefined ? found : found.where('person_id', '=', ownerId)).executeTakeFirst()
          if (!row) return refuse(refusals.credentialUnknown)
          await transaction.updateTable('access_tokens').set(end).where('id', '=', id).execute()
          return viewOf({ ...row, ...end })
        },
        tell: (view) => [
          tokenRevoked,
          {
            principal: { id: by.id, name: by.name },
            outcome: 'succeeded',
            details: { credential: id, label: view.label, person: view.personId },
          },
        ],
      })
    },
  }
}
