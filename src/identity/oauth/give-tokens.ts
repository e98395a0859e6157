/**
 * May the tokens that were made leave? Only with everything that belongs to them written, and for the first use alone.
 * Stops: a token that leaves before its record is durable; a code that is redeemed twice, at whatever moment.
 * Trusts: the transaction of the held writes. Fails: closed: whoever lost is refused, and holds nothing.
 * @see RFC 6749, section 4.1.2; RFC 9700, section 4.14
 */
import { isRefusal } from '#kernel'
import { type KoaContextWithOIDC, errors } from 'oidc-provider'
import { tokenExchange } from '../oauth-exchange/grant-type.ts'
import { endByItself } from './grants.ts'
import { commitWrites, type HeldWrites } from './held-writes.ts'
import type { OauthParts } from './parts.ts'
import { issuedEntry, recordAnswer } from './record-answer.ts'

/** INVARIANT: a second use of a code ends what the first one gave. */
async function endFamilies(parts: OauthParts, { uses }: HeldWrites): Promise<void> {
  for (const { kind, idHash } of uses) {
    if (kind !== 'AuthorizationCode') continue
    const row = await parts.database.query
      .selectFrom('oauth_artifacts')
      .select(['grant_id', 'answered_at'])
      .where('kind', '=', kind)
      .where('id_hash', '=', idHash)
      .executeTakeFirst()
    // WHY: while nobody has an answer, whoever lost raced for it; to end it then would leave the winner with nothing.
    if (row && row.grant_id !== null && row.answered_at !== null)
      await endByItself(parts, row.grant_id, 'code used twice')
  }
}

function grantTypeOf({ oidc }: KoaContextWithOIDC): unknown {
  return (oidc.params as Record<string, unknown> | undefined)?.['grant_type']
}

function refuseWith(ctx: KoaContextWithOIDC, reason: unknown): void {
  // SPEC: RFC 8693, section 2.2.2: what is wrong with a subject's token makes the request invalid.
  const isExchange = grantTypeOf(ctx) === tokenExchange
  const told = isExchange ? new errors.InvalidRequest('request is invalid') : new errors.InvalidGrant('used already')
  ctx.status = told.statusCode
  ctx.body = { error: told.error, error_description: told.error_description }
  ctx.state['oauthReason'] = reason
}

/** Settles an answer of the token endpoint: what it gives is written first, or it gives nothing. */
export async function giveTokens(parts: OauthParts, ctx: KoaContextWithOIDC, writes: HeldWrites): Promise<void> {
  if (ctx.status !== 200) return recordAnswer(parts, ctx)
  const entry = issuedEntry(ctx)
  if (entry === undefined) throw new TypeError('an answer that gives nothing is none')
  const refusal = await commitWrites(parts, writes, entry)
  if (!isRefusal(refusal)) return undefined
  refuseWith(ctx, refusal.detail?.['reason'])
  await endFamilies(parts, writes)
  return recordAnswer(parts, ctx)
}
