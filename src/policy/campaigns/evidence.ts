/**
 * What does a closed campaign show to somebody who was not there?
 * Stops: an export that says something else than the one before.
 * Trusts: the rows of a closed campaign, whose hash was put on record when it was closed.
 * Fails: rows that do not have that hash are a Fault; nothing is exported.
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { Fault } from '#kernel'
import type { Rows } from '../snapshot/store.ts'
import type { Campaign, Item } from './campaign.ts'
import { readItems } from './campaign-store.ts'

const itemsAtOnce = 500

/** One line of an export. */
export type EvidenceLine =
  | { readonly kind: 'campaign'; readonly campaign: Omit<Campaign, 'exportHash' | 'told'> }
  | { readonly kind: 'item'; readonly item: Omit<Item, 'id' | 'campaign' | 'revision'> }
  | { readonly kind: 'end'; readonly items: number; readonly sha256: string }

/** The lines of a campaign as it is, and at their end the hash of those before. */
export async function* evidenceLines(rows: Rows, campaign: Campaign): AsyncGenerator<EvidenceLine, void> {
  const sha256 = createHash('sha256')
  const take = <Line extends EvidenceLine>(line: Line): Line => {
    sha256.update(`${canonicalize(line) ?? ''}\n`, 'utf8')
    return line
  }
  const { exportHash: _hash, told: _told, ...shown } = campaign
  yield take({ kind: 'campaign', campaign: shown })
  let after = 0
  for (;;) {
    const items = await readItems(rows, { campaign: campaign.id, after, limit: itemsAtOnce })
    for (const { id: _id, campaign: _campaign, revision: _revision, ...item } of items)
      yield take({ kind: 'item', item })
    const last = items.at(-1)
    if (last === undefined) break
    after = last.place
  }
  yield { kind: 'end', items: after, sha256: sha256.digest('hex') }
}

/** SHA-256 in hex of the canonical JSON (RFC 8785) of each line, followed by a line feed. */
export async function evidenceHash(rows: Rows, campaign: Campaign): Promise<string> {
  for await (const line of evidenceLines(rows, campaign)) if (line.kind === 'end') return line.sha256
  return ''
}

/** The lines of a closed campaign. @throws Fault `review.evidence-changed` */
export async function* exportCampaign(rows: Rows, campaign: Campaign): AsyncGenerator<EvidenceLine, void> {
  if ((await evidenceHash(rows, campaign)) !== campaign.exportHash) {
    throw new Fault(
      'review.evidence-changed',
      `campaign ${campaign.id} is not as it was closed: the database was changed from outside`,
    )
  }
  yield* evidenceLines(rows, campaign)
}
