/**
 * Does the credential behind an open stream still hold? Asked again and again; synchronous while nothing has changed.
 * Stops streams that outlive their session, token or person.
 * Trusts the database's revision. Fails closed: a credential that is gone does not hold.
 * @see ASVS 7.3.1, 7.3.2, 7.4.1
 */
import type { Principal } from '#kernel'
import { loadTogether, rememberByRevision } from '#platform/database'
import type { ExternalTokens } from '../external/authenticate-external.ts'
import type { Parts } from '../parts.ts'
import { readExchanged, whyGroundGone } from '../oauth-exchange/exchanged.ts'
import { endWithin, standingOf } from '../service-accounts/standing.ts'
import { sessionLimit } from './sessions.ts'

const mostRemembered = 10_000

interface Standing {
  readonly isEnded: boolean
  readonly expires_at: number
  /** Of a session. */
  readonly last_seen_at?: number
  /** Of the token that it was exchanged for. */
  readonly issuer?: string | undefined
}

const gone: Standing = { isEnded: true, expires_at: 0 }

type Standings = Promise<ReadonlyMap<string, Standing>>

async function readTokens({ database }: Parts, ids: readonly string[]): Standings {
  const rows = await database.query
    .selectFrom('access_tokens as token')
    .innerJoin('people as holder', 'holder.id', 'token.person_id')
    .leftJoin('service_accounts as account', 'account.person_id', 'holder.id')
    .leftJoin('people as owner', 'owner.id', 'account.owner_id')
    .select(['token.id', 'holder.kind', 'holder.status', 'token.expires_at', 'revoked_at'])
    .select(['account.expires_at as account_ends_at', 'removed_at'])
    .select(['owner.status as owner_status', 'owner.kind as owner_kind'])
    .where('token.id', 'in', ids)
    .execute()
  return new Map(
    rows.map((row) => {
      const standing = standingOf(row.kind, row)
      const isEnded = row.revoked_at !== null || row.status !== 'active' || standing?.ended !== undefined
      return [row.id, { expires_at: endWithin(standing, row.expires_at).expiresAt, isEnded }]
    }),
  )
}

async function readSessions({ database }: Parts, ids: readonly string[]): Standings {
  const rows = await database.query
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .select(['sessions.id', 'expires_at', 'last_seen_at', 'ended_at', 'status'])
    .where('sessions.id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.id, { ...row, isEnded: row.ended_at !== null || row.status !== 'active' }]))
}

function oauthTokenRows({ database }: Parts, ids: readonly string[]) {
  return database.query
    .selectFrom('oauth_artifacts as token')
    .leftJoin('oauth_clients as client', 'client.id', 'token.client_id')
    .leftJoin('oauth_grants as grant', 'grant.id', 'token.grant_id')
    .innerJoin('people as person', (join) =>
      join.on((on) => on('person.id', '=', on.fn.coalesce('token.person_id', 'client.person_id'))),
    )
    .leftJoin('service_accounts as account', 'account.person_id', 'person.id')
    .leftJoin('people as owner', 'owner.id', 'account.owner_id')
    .select(['token.expires_at', 'token.ended_at', 'grant.ended_at as grant_ended_at', 'blocked_at', 'person.status'])
    .select(['public_id', 'person.id as holder', 'person.kind as holder_kind', 'token.kind as token_kind'])
    .select(['grant.exchanged', 'grant.expires_at as grant_expires_at'])
    .select(['account.expires_at as account_ends_at', 'removed_at'])
    .select(['owner.status as owner_status', 'owner.kind as owner_kind'])
    .where('public_id', 'in', ids)
    .execute()
}

type OauthTokenRow = Awaited<ReturnType<typeof oauthTokenRows>>[number]

async function standingOfOauthToken({ database, clock }: Parts, row: OauthTokenRow): Promise<Standing> {
  const standing = standingOf(row.holder_kind, row)
  const ends = [row.ended_at, row.grant_ended_at ?? null, row.blocked_at ?? null]
  const isOfPerson = row.token_kind === 'ClientCredentials' && standing === undefined
  const hasEnded = row.status !== 'active' || standing?.ended !== undefined || isOfPerson
  const exchanged = readExchanged(row.exchanged)
  const lost = await whyGroundGone(database.query, exchanged, { personId: row.holder, nowMs: clock.now() })
  const own = Math.min(row.expires_at, row.grant_expires_at ?? Number.POSITIVE_INFINITY)
  return {
    expires_at: endWithin(standing, own).expiresAt,
    isEnded: hasEnded || lost !== undefined || ends.some((end) => end !== null),
    issuer: exchanged?.external?.issuer,
  }
}

async function readOauthTokens(parts: Parts, ids: readonly string[]): Standings {
  const rows = await oauthTokenRows(parts, ids)
  return new Map(
    await Promise.all(
      rows.map(async (row): Promise<[string, Standing]> => [
        row.public_id ?? '',
        await standingOfOauthToken(parts, row),
      ]),
    ),
  )
}

/** Kept for one revision; those that are asked for at the same moment are read together. */
function remember(parts: Parts, readMany: (parts: Parts, ids: readonly string[]) => Standings) {
  const load = loadTogether((ids) => readMany(parts, ids))
  const read = async (id: string): Promise<Standing> => (await load(id)) ?? gone
  return rememberByRevision(parts.database, read, { maxEntries: mostRemembered })
}

/** WHY: whatever is open is looked at again at the end that its principal has; of one that comes sooner nobody would hear. */
function isShortened({ isService, credential }: Principal, standing: Standing): boolean {
  return isService === true && standing.expires_at < credential.expiresAt
}

/** @param external judges what rests on a signed token of another issuer */
export function createStillValid(parts: Parts, external: Pick<ExternalTokens, 'stillValid'>) {
  const { clock } = parts
  const oauthTokens = remember(parts, readOauthTokens)
  const tokens = remember(parts, readTokens)
  const sessions = remember(parts, readSessions)

  function holds({ isEnded, expires_at, last_seen_at, issuer }: Standing): boolean {
    if (isEnded || clock.now() >= expires_at) return false
    if (issuer !== undefined && !parts.settings.issuers.some((one) => one.issuer === issuer)) return false
    return last_seen_at === undefined || sessionLimit({ expires_at, last_seen_at }, parts) === undefined
  }

  /** @returns at once when the credential is remembered; a promise when it has to be read */
  return function stillValid(principal: Principal): boolean | Promise<boolean> {
    const { credential } = principal
    if (credential.kind === 'external-token') return external.stillValid(principal)
    const remembered =
      credential.kind === 'session' ? sessions : credential.kind === 'oauth-token' ? oauthTokens : tokens
    const judge = (standing: Standing): boolean => holds(standing) && !isShortened(principal, standing)
    const known = remembered.peek(credential.id)
    return known ? judge(known) : remembered.get(credential.id).then(judge)
  }
}
