/**
 * Does a device ask for its tokens as often as it may? Every five seconds, and less often each time it came too early.
 * Stops: a client that polls without a pause from costing more than one that keeps to the interval; two polls at once.
 * Trusts: the database: of two nodes that are asked at one moment one writes the time down. Fails: as too early.
 * @see RFC 8628, section 3.5
 */
import { createId } from '#kernel'
import { type KoaContextWithOIDC, errors } from 'oidc-provider'
import { type ArtifactParts, artifactHash, openArtifact, sealArtifact } from '../oauth/artifacts.ts'

const kind = 'DevicePace'
const secondMs = 1_000
/** SPEC: RFC 8628, section 3.2: what a client keeps to that was told no interval. */
const firstSeconds = 5
/** SPEC: RFC 8628, section 3.5: what each answer of this kind adds to the interval. */
const slowerSeconds = 5
/** WHY: whoever cannot count is asked to wait, and not kept out until the code is too old. */
const mostSeconds = 30
/** WHY: what was sent five seconds apart may arrive a little closer. */
const earlyMs = 500
const keptMs = 600_000

function sealed({ sealer }: ArtifactParts, idHash: string, intervalSeconds: number): string {
  return sealArtifact(sealer, { kind, id_hash: idHash }, { intervalSeconds })
}

/** The first question of a device: of two at once one was first. */
async function begin(parts: ArtifactParts, idHash: string): Promise<boolean> {
  const now = parts.clock.now()
  const row = {
    kind,
    id_hash: idHash,
    grant_id: null,
    client_id: null,
    person_id: null,
    sealed_payload: sealed(parts, idHash, firstSeconds),
    expires_at: now + keptMs,
    public_id: createId(now),
    lookup_hash: null,
    created_at: now,
    consumed_at: now,
    answered_at: null,
    ended_at: null,
  }
  const made = parts.database.query.insertInto('oauth_artifacts').values(row)
  const { numInsertedOrUpdatedRows } = await made
    .onConflict((conflict) => conflict.columns(['kind', 'id_hash']).doNothing())
    .executeTakeFirst()
  return Number(numInsertedOrUpdatedRows ?? 0) === 1
}

/** Whether a device whose person has not answered may ask at this moment; it is written down that it did. */
export async function mayAsk(parts: ArtifactParts, deviceCode: string): Promise<boolean> {
  const idHash = artifactHash(deviceCode)
  const rows = parts.database.query.selectFrom('oauth_artifacts').selectAll()
  const row = await rows.where('kind', '=', kind).where('id_hash', '=', idHash).executeTakeFirst()
  if (row === undefined) return begin(parts, idHash)
  const kept = openArtifact(parts.sealer, row) as { readonly intervalSeconds?: number } | undefined
  const intervalSeconds = kept?.intervalSeconds ?? mostSeconds
  const [askedAt, now] = [Number(row.consumed_at), parts.clock.now()]
  const isInTime = now - askedAt >= intervalSeconds * secondMs - earlyMs
  const longer = Math.min(mostSeconds, intervalSeconds + slowerSeconds)
  const set = isInTime ? { consumed_at: now } : { sealed_payload: sealed(parts, idHash, longer) }
  // INVARIANT: only over what was seen: of two that ask at once, one was in time.
  const changed = parts.database.query.updateTable('oauth_artifacts').set(set).where('kind', '=', kind)
  const mine = changed.where('id_hash', '=', idHash).where('consumed_at', '=', row.consumed_at)
  const { numUpdatedRows } = await mine.executeTakeFirst()
  return isInTime && Number(numUpdatedRows) === 1
}

/** Turns "not yet" into "slow down" for a device that asks too often. */
export async function keepPace(parts: ArtifactParts, ctx: KoaContextWithOIDC): Promise<void> {
  const answer = ctx.body as { readonly error?: unknown } | undefined
  if (answer?.error !== new errors.AuthorizationPending().error) return
  const { device_code: code } = (ctx.oidc.params ?? {}) as { readonly device_code?: unknown }
  if (typeof code !== 'string' || (await mayAsk(parts, code))) return
  const { error, error_description } = new errors.SlowDown()
  ctx.body = { error, error_description }
}
