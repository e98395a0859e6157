/**
 * Where do codes, tokens and open requests of the authorization server lie? Sealed, under the hash of what their holder has.
 * Stops: a stolen database from being a set of credentials; two uses of what may be used once, also at the same moment
 * and by different nodes.
 * Trusts: the database's conditional update: of two that consume, one changes a row. The sealer binds a payload to its row.
 * What a token request writes is held back until all of it can be written at once.
 * Fails: closed: what does not open, has ended or is past its time does not exist.
 */
import { createId } from '#kernel'
import type { Tables } from '#platform/database'
import { sql } from 'kysely'
import { errors, type Adapter, type AdapterPayload } from 'oidc-provider'
import { hashToken } from '../credentials/opaque-token.ts'
import type { Query } from '../parts.ts'
import type { OauthParts } from './parts.ts'
import { type ArtifactRow, presentWrites, writeArtifact } from './held-writes.ts'
import { presentArrival } from './visiting.ts'

const secondMs = 1_000
const sweepEveryMs = 60_000
/** Kept beyond its end, so that a second use is told from an invention. */
const keptMs = 600_000
const longestSeconds = 3_650 * 86_400

export type ArtifactParts = Pick<OauthParts, 'database' | 'clock' | 'sealer'>

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

/**
 * Forgets grants that have been over for as long as they could live: what was granted for minutes does not lie here for ever,
 * and of what was granted for days it is known for as long which clients were ever granted something.
 */
async function forgetGrants(query: Query, beforeMs: number): Promise<void> {
  await query
    .deleteFrom('oauth_grants')
    .where('expires_at', '<', beforeMs)
    .where(sql<boolean>`2 * expires_at - created_at < ${beforeMs}`)
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
    await forgetGrants(database.query, before)
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
 * When it was used; undefined while nobody has an answer to its use. What was consumed by a process that ended before it
 * could answer has a successor that nobody holds, and goes on being what its client has.
 * WHY: whoever came with a refresh token before the first was answered raced for it: they lose, and that is no sign of theft.
 */
function usedAt({ kind, answered_at: answeredAt }: Row): number | undefined {
  if (answeredAt === null || (kind === 'RefreshToken' && presentArrival() < answeredAt)) return undefined
  return answeredAt
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
  presentWrites()?.seen.set(`${kind}/${row.id_hash}`, row.consumed_at)
  const used = usedAt(row)
  const consumed = used === undefined ? {} : { consumed: Math.floor(used / secondMs) }
  return { ...payload, ...(id === undefined ? {} : { jti: id }), ...consumed }
}

function rowOf({ parts, kind }: Kind, id: string, payload: AdapterPayload, lifeSeconds: number): ArtifactRow {
  const { clock, sealer } = parts
  const now = clock.now()
  const place = { kind, id_hash: artifactHash(id) }
  return {
    ...place,
    grant_id: kind === 'Grant' ? id : (payload.grantId ?? null),
    client_id: payload.clientId ?? null,
    person_id: payload.accountId ?? null,
    sealed_payload: sealArtifact(sealer, place, payload),
    expires_at: now + lifeSeconds * secondMs,
    public_id: createId(now),
    lookup_hash: payload.userCode === undefined ? null : userCodeHash(payload.userCode),
    created_at: now,
    consumed_at: null,
    answered_at: null,
    ended_at: null,
  }
}

async function consume({ parts, kind }: Kind, id: string): Promise<void> {
  const idHash = artifactHash(id)
  const writes = presentWrites()
  if (writes) return writes.consume({ kind, idHash })
  const now = parts.clock.now()
  const used = await parts.database.query
    .updateTable('oauth_artifacts')
    .set({ consumed_at: now, answered_at: now })
    .where('kind', '=', kind)
    .where('id_hash', '=', idHash)
    .where('consumed_at', 'is', null)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (Number(used.numUpdatedRows) !== 1) throw new errors.InvalidGrant('used already')
}

async function end({ parts, kind }: Kind, column: 'id_hash' | 'grant_id', value: string): Promise<number> {
  const ended = await parts.database.query
    .updateTable('oauth_artifacts')
    .set({ ended_at: parts.clock.now() })
    .where('kind', '=', kind)
    .where(column, '=', value)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return Number(ended.numUpdatedRows)
}

async function destroy(of: Kind, id: string): Promise<void> {
  const ended = await end(of, 'id_hash', artifactHash(id))
  // INVARIANT: a request for authorization goes on to one code: of two that come back with the person's yes, one ended it.
  if (of.kind === 'Interaction' && ended !== 1) throw new errors.SessionNotFound('interaction session not found')
}

function createKind(of: Kind, sweep: () => Promise<void>): Adapter {
  return {
    async upsert(id, payload, expiresIn = longestSeconds) {
      const row = rowOf(of, id, payload, expiresIn)
      const writes = presentWrites()
      if (writes) writes.rows.push(row)
      else await writeArtifact(of.parts.database.query, row)
      await sweep()
    },
    find: async (id) => payloadOf(of, await held(of, 'id_hash', artifactHash(id)), id),
    findByUserCode: async (userCode) => payloadOf(of, await held(of, 'lookup_hash', userCodeHash(userCode))),
    findByUid: keptNowhere.findByUid,
    consume: (id) => consume(of, id),
    destroy: (id) => destroy(of, id),
    revokeByGrantId: async (grantId) => void (await end(of, 'grant_id', grantId)),
  }
}

/** The hash of a code that a person types. */
export function userCodeHash(userCode: string): string {
  return hashToken(userCode)
}

/** Makes the stores of everything but clients and grants; of the browser's session there is none. */
export function createArtifacts(parts: ArtifactParts): (kind: string) => Adapter {
  const sweep = createSweep(parts)
  return (kind) => (kind === 'Session' ? keptNowhere : createKind({ parts, kind }, sweep))
}
