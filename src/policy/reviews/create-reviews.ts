/**
 * Who looks at who has access to what, and what comes of it?
 * Stops: reports about a policy that is not in force; a campaign whose decisions are not carried out, or twice.
 * Trusts: its caller to have decided that the asker may see all this.
 * Fails: with the database or the ledger; nothing is reported in part as if it were whole.
 * @see docs/decisions/0048-reviews-count-what-the-ledger-holds.md
 */
import { Fault } from '#kernel'
import { type Campaigns, createCampaigns } from '../campaigns/campaigns.ts'
import type { ChangeNeeds } from '../change/drafts.ts'
import { readHead, readRoles } from '../snapshot/store.ts'
import type { CompiledRule } from '../cedar/source.ts'
import { type AccessFilter, type AccessPage, type Cursor, readAccess } from './access.ts'
import { createDigest } from './digest.ts'
import { createPermits, type Permits } from './permits.ts'
import { type Horizon, readHorizon } from './uses.ts'
import { readUnused, type UnusedCursor, type UnusedLine } from './unused.ts'

export interface Reviews {
  /** Counts what this node's ledger holds beyond what was counted; to be called from time to time on each node. */
  count(): Promise<void>
  /** What the evidence rests on. */
  horizon(): Promise<Horizon>
  access(filter: AccessFilter, at: { cursor: Cursor | undefined; limit: number }): Promise<AccessPage>
  unused(
    since: number,
    at: { cursor: UnusedCursor | undefined; limit: number },
  ): Promise<{ lines: readonly UnusedLine[]; next: UnusedCursor | undefined; horizon: Horizon }>
  readonly campaigns: Campaigns
}

export interface ReviewNeeds extends ChangeNeeds {
  /** In force in this process. */
  rules(): { readonly version: number; readonly rules: Iterable<CompiledRule> }
  holdOn(personId: string): string | null
}

const mostReads = 10

export function createReviews(needs: ReviewNeeds): Reviews {
  const { database, clock } = needs
  const rows = database.query
  const digest = createDigest(needs)
  let permits: Permits | undefined

  /** WHY: the roles of a snapshot never change, so they are read once for each. */
  async function current(): Promise<Permits> {
    for (let read = 0; read < mostReads; read += 1) {
      const inForce = needs.rules()
      if (permits?.version === inForce.version) return permits
      const roles = await readRoles(rows)
      // WHY: another node may have published between the two.
      if ((await readHead(rows))?.version === inForce.version) {
        permits = createPermits(inForce, roles)
        return permits
      }
      await needs.changed()
    }
    throw new Fault('policy.unavailable', 'the policy changes too fast to be reported')
  }

  return {
    count: () => digest.fold(),
    horizon: async () => readHorizon(rows, clock.now()),
    access: async (filter, at) =>
      readAccess({ rows, permits: await current(), holdOn: (id) => needs.holdOn(id) }, filter, at),
    unused: async (since, at) =>
      readUnused({ rows, permits: await current(), roles: await readRoles(rows), now: clock.now(), since }, at),
    campaigns: createCampaigns(needs),
  }
}
