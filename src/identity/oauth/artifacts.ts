/**
 * Where do codes, tokens and open requests of the authorization server lie? Sealed, under the hash of what their holder has.
 * Stops: a stolen database from being a set of credentials; two uses of what may be used once, also at the same moment
 * and by different nodes.
 * Trusts: the database's conditional update: of two that consume, one changes a row. The sealer binds a payload to its row.
 * Fails: closed: what does not open, has ended or is past its time does not exist.
 */
import { createId } from '#kernel'
import type { Tables } from '#platform/database'
import { errors, type Adapter, type AdapterPayload } from 'oidc-provider'
import { hashToken } from '../credentials/opaque-token.ts'
import type { Query } from '../parts.ts'
import type { OauthParts } from './parts.ts'
import { presentArrival } from './visiting.ts'

const secondMs = 1_000
const sweepEveryMs = 60_000
/** Kept beyond its end, so that a second use is told from an invention. */
const keptMs = 600_000
const longestAnswerMs = 10_000
const longestSeconds = 3_650 * 86_400

export type ArtifactParts = Pick<OauthParts, 'database' | 'clock' | 'sealer'>

/** What happens when something that may be used once is used a second time, at the same moment as the first. */
export type UsedTwice = (kind: string, grantId: string | undefined) => Promise<void>

/** The hash under which an artifact is kept. */
export function artifactHash(id: string): string {
  return hashToken(id)
}

function placeOf(kind: string, idHash: string): string {
  return `oauth-artifact/${kind}/${idHash}`
}

/** The payload of a row, or undefined when it does not belong there. */
export function openArtifact(
  sealer: ArtifactParts['sealer'],
  row: { readonly kind: string; readonly id_hash: string; readonly sealed_payload: string },
): AdapterPayload | undefined {
  const plain = sealer.open(row.sealed_payload, placeOf(row.kind, row.id_hash))
  return plain === undefined ? undefined : (JSON.parse(Buffer.from(plain).toString()) as AdapterPayload)
}

/** The sealed payload of a row. */
export function sealArtifact(
  sealer: ArtifactParts['sealer'],
  row: { readonly kind: string; readonly id_hash: string },
  payload: AdapterPayload,
): string {
  // INVARIANT: the id is what its holder presents; it is never kept.
  const { jti: _jti, ...kept } = payload
  return sealer.seal(Buffer.from(JSON.stringify(kept)), placeOf(row.kind, row.id_hash))
}

/** Marks everything of a grant as ended, in a transaction that has its own entry. */
export async function endArtifacts(transaction: Query, grantId: string, nowMs: number): Promise<void> {
  await transaction
    .updateTable('oauth_artifacts')
    .set({ ended_at: nowMs })
    .where('grant_id', '=', grantId)
    .where('ended_at', 'is', null)
    .execute()
}

function createSweep({ database, clock }: ArtifactParts): () => Promise<void> {
  let sweptAt = Number.NEGATIVE_INFINITY
  return async () => {
    const now = clock.now()
    if (now - sweptAt < sweepEveryMs) return
    sweptAt = now
    const before = now - keptMs
    await database.query.deleteFrom('oauth_artifacts').where('expires_at', '<', before).execute()
    await database.query.deleteFrom('oauth_replays').where('expires_at', '<', before).execute()
  }
}

/** What the provider keeps for itself under a browser's cookie; who is signed in is not its to remember. */
const keptNowhere: Adapter = {
  upsert: async () => undefined,
  find: async () => undefined,
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  consume: async () => undefined,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
}

type Row = Pick<Tables['oauth_artifacts'], 'id_hash' | 'kind' | 'sealed_payload' | 'consumed_at' | 'answered_at'>

/**
 * WHY: whoever came before the first was answered raced for it: they lose, and that is no sign of theft. A first that was
 * never answered counts as answered after a while.
 */
function isRace({ consumed_at: consumedAt, answered_at: answeredAt }: Row): boolean {
  return presentArrival() < (answeredAt ?? (consumedAt ?? 0) + longestAnswerMs)
}

/** Notes that whoever consumed a refresh token is being answered. */
export async function noteAnswered({ database, clock }: ArtifactParts, refreshToken: string): Promise<void> {
  await database.query
    .updateTable('oauth_artifacts')
    .set({ answered_at: clock.now() })
    .where('kind', '=', 'RefreshToken')
    .where('id_hash', '=', artifactHash(refreshToken))
    .execute()
}

/** The rows of one kind. */
interface Kind {
  readonly parts: ArtifactParts
  readonly kind: string
}

/** What still counts, by the hash of its id or of the code that a person types. */
function held({ parts, kind }: Kind, column: 'id_hash' | 'lookup_hash', hash: string) {
  return parts.database.query
    .selectFrom('oauth_artifacts')
    .selectAll()
    .where('kind', '=', kind)
    .where(column, '=', hash)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', parts.clock.now())
    .executeTakeFirst()
}

function payloadOf({ parts, kind }: Kind, row: Row | undefined, id?: string): AdapterPayload | undefined {
  const payload = row && openArtifact(parts.sealer, row)
  if (!row || !payload) return undefined
  const { consumed_at: consumedAt } = row
  const isUsed = consumedAt !== null && !(kind === 'RefreshToken' && isRace(row))
  const consumed = isUsed ? { consumed: Math.floor(consumedAt / secondMs) } : {}
  return { ...payload, ...(id === undefined ? {} : { jti: id }), ...consumed }
}

async function upsert({ parts, kind }: Kind, id: string, payload: AdapterPayload, lifeSeconds: number): Promise<void> {
  const { database, clock, sealer } = parts
  const now = clock.now()
  const row = { kind, id_hash: artifactHash(id) }
  const changing = {
    grant_id: kind === 'Grant' ? id : (payload.grantId ?? null),
    client_id: payload.clientId ?? null,
    person_id: payload.accountId ?? null,
    sealed_payload: sealArtifact(sealer, row, payload),
    expires_at: now + lifeSeconds * secondMs,
  }
  const lookup = payload.userCode === undefined ? null : userCodeHash(payload.userCode)
  const unused = { consumed_at: null, answered_at: null, ended_at: null }
  await database.query
    .insertInto('oauth_artifacts')
    .values({ ...row, ...changing, ...unused, public_id: createId(now), lookup_hash: lookup, created_at: now })
    .onConflict((conflict) => conflict.columns(['kind', 'id_hash']).doUpdateSet(changing))
    .execute()
}

async function consume(of: Kind, id: string, usedTwice: UsedTwice): Promise<void> {
  const { parts, kind } = of
  const used = await parts.database.query
    .updateTable('oauth_artifacts')
    .set({ consumed_at: parts.clock.now() })
    .where('kind', '=', kind)
    .where('id_hash', '=', artifactHash(id))
    .where('consumed_at', 'is', null)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (Number(used.numUpdatedRows) === 1) return
  const row = await held(of, 'id_hash', artifactHash(id))
  await usedTwice(kind, row?.grant_id ?? undefined)
  throw new errors.InvalidGrant('used already')
}

async function end({ parts, kind }: Kind, column: 'id_hash' | 'grant_id', value: string): Promise<void> {
  await parts.database.query
    .updateTable('oauth_artifacts')
    .set({ ended_at: parts.clock.now() })
    .where('kind', '=', kind)
    .where(column, '=', value)
    .where('ended_at', 'is', null)
    .execute()
}

function createKind(of: Kind, usedTwice: UsedTwice, sweep: () => Promise<void>): Adapter {
  return {
    async upsert(id, payload, expiresIn = longestSeconds) {
      await upsert(of, id, payload, expiresIn)
      await sweep()
    },
    find: async (id) => payloadOf(of, await held(of, 'id_hash', artifactHash(id)), id),
    findByUserCode: async (userCode) => payloadOf(of, await held(of, 'lookup_hash', userCodeHash(userCode))),
    findByUid: keptNowhere.findByUid,
    consume: (id) => consume(of, id, usedTwice),
    destroy: (id) => end(of, 'id_hash', artifactHash(id)),
    revokeByGrantId: (grantId) => end(of, 'grant_id', grantId),
  }
}

/** The hash of a code that a person types. */
export function userCodeHash(userCode: string): string {
  return hashToken(userCode)
}

/** Makes the stores of everything but clients and grants; of the browser's session there is none. */
export function createArtifacts(parts: ArtifactParts, usedTwice: UsedTwice): (kind: string) => Adapter {
  const sweep = createSweep(parts)
  return (kind) => (kind === 'Session' ? keptNowhere : createKind({ parts, kind }, usedTwice, sweep))
}
