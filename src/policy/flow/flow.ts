/**
 * What have the clients of a person met so far, and who makes them forget?
 * Stops: the third leg: private data and untrusted content meeting a way out, whatever the model was talked into; labels
 * that a new token, a restart or another node sheds.
 * Trusts: the gateway to add labels before it forwards a call; the database for what was committed.
 * Fails: closed: labels that cannot be read or kept stop the call. Nobody resets their own, unless nobody else could.
 * @see docs/decisions/0044-information-flow-by-labels.md
 */
import type { Ledger } from '#audit'
import { type Clock, type Principal, refuse, type Refusal, type Target } from '#kernel'
import type { Database } from '#platform/database'
import { policyEvents } from '../events.ts'
import { recordChange } from '../record-change.ts'
import { policyRefusals } from '../refusals.ts'
import { otherAdmins } from '../roles/other-admins.ts'
import { isOneLine } from '../roles/role.ts'
import { bearings, carriedFor, carriedPattern, programsOf } from './labels.ts'

export interface GatheredLabel {
  readonly personId: string
  /** `client/<id>`; `tokens` for the person's own access tokens; `for/<person>` for what a program met for somebody. */
  readonly bearer: string
  readonly label: string
  /** Where it was met first. */
  readonly source: Target
  readonly addedAt: number
}

export interface Flow {
  /**
   * What counts for this principal, as committed on any node at this moment: whatever any client of the person has met, and
   * what the programs that act for the person have met for themselves.
   */
  read(principal: Principal): Promise<ReadonlySet<string>>
  /** Adds labels, durable and on record when it resolves. Those that are there stay as they are. */
  add(gathered: {
    readonly principal: Principal
    readonly labels: readonly string[]
    readonly target: Target
  }): Promise<void>
  /** Whether all of these are kept at this moment, for everybody who meets what this principal asks for. */
  keeps(brought: { readonly principal: Principal; readonly labels: readonly string[] }): Promise<boolean>
  /** Oldest first. */
  list(of: { readonly personId: string }): Promise<GatheredLabel[]>
  /** Forgets everything that one client of a person, or every one, has gathered. @returns how many labels went */
  reset(change: {
    readonly personId: string
    readonly bearer?: string | undefined
    readonly reason: string
    readonly by: Principal
  }): Promise<number | Refusal>
}

const maxReasonLength = 500
const mostListed = 1_000

interface FlowNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
}

interface Row {
  readonly person_id: string
  readonly bearer: string
}

function rowsOf(principal: Principal): Row[] {
  return bearings(principal).map(({ personId, bearer }) => ({ person_id: personId, bearer }))
}

/** What is not kept yet. Read before anything is written: mostly there is nothing new. */
async function withoutKept(database: Database, all: readonly Row[], labels: readonly string[]) {
  const ids = all.map((row) => row.person_id)
  const kept = await database.query
    .selectFrom('flow_labels')
    .select(['person_id', 'bearer', 'label'])
    .where('person_id', 'in', ids)
    .execute()
  const keys = new Set(kept.map((row) => JSON.stringify([row.person_id, row.bearer, row.label])))
  const wanted = all.flatMap((row) => labels.map((label) => ({ ...row, label })))
  return wanted.filter((row) => !keys.has(JSON.stringify([row.person_id, row.bearer, row.label])))
}

function createAdd({ database, ledger, clock }: FlowNeeds): Flow['add'] {
  return async ({ principal, labels, target }) => {
    const place = { upstream: target.upstream, target_kind: target.kind, target_name: target.name ?? '' }
    const all = rowsOf(principal)
    const missing = await withoutKept(database, all, labels)
    if (missing.length === 0) return
    await recordChange(database, ledger, async (rows, record) => {
      const added = await rows
        .insertInto('flow_labels')
        .values(missing.map((row) => ({ ...row, ...place, added_at: clock.now() })))
        .onConflict((conflict) => conflict.doNothing())
        .returning(['person_id', 'bearer', 'label'])
        .execute()
      for (const bearing of all) {
        const own = added.filter((row) => row.person_id === bearing.person_id && row.bearer === bearing.bearer)
        if (own.length === 0) continue
        const details = {
          person: bearing.person_id,
          client: bearing.bearer,
          labels: own.map(({ label }) => label).toSorted(),
        }
        await record(policyEvents.flowLabelled, { principal, target, details })
      }
    })
  }
}

function createReset({ database, ledger }: FlowNeeds): Flow['reset'] {
  return async ({ personId, bearer, reason, by }) => {
    if (!isOneLine(reason, maxReasonLength) || reason.trim() === '') {
      return refuse(policyRefusals.flowReasonInvalid, { names: { limit: String(maxReasonLength) } })
    }
    return recordChange(database, ledger, async (rows, record): Promise<number | Refusal> => {
      // WHY: with one administrator, nobody else could; it is on record as theirs.
      const isOwn = by.id === personId
      if (isOwn && (await otherAdmins(rows, by.id)).length > 0) return refuse(policyRefusals.flowOwn)
      const own = rows.deleteFrom('flow_labels').returning(['person_id', 'bearer', 'label'])
      const chosen =
        bearer === undefined
          ? // WHY: programs have met it for this person, too; they could not be set back otherwise, one person at a time.
            own.where((row) => row.or([row('person_id', '=', personId), row('bearer', '=', carriedFor(personId))]))
          : own.where('person_id', '=', personId).where('bearer', '=', bearer)
      const gone = await chosen.execute()
      if (gone.length === 0) return 0
      const labels = gone.map(({ person_id, bearer: client, label }) => ({ person: person_id, client, label }))
      // WHY: the ledger blacks out what is named like a secret, and `bearer` is.
      const details = { person: personId, client: bearer ?? null, reason, isOwn, labels }
      await record(policyEvents.flowReset, { principal: by, details })
      return gone.length
    })
  }
}

export function createFlow(needs: FlowNeeds): Flow {
  const { database } = needs
  return {
    add: createAdd(needs),
    reset: createReset(needs),
    keeps: async ({ principal, labels }) =>
      labels.length === 0 || (await withoutKept(database, rowsOf(principal), labels)).length === 0,
    async read(principal) {
      const programs = programsOf(principal)
      const rows = await database.query
        .selectFrom('flow_labels')
        .select('label')
        .distinct()
        .where((row) =>
          row.or([
            row('person_id', '=', principal.id),
            // WHY: what a program has met for one person is not held against another.
            ...(programs.length === 0
              ? []
              : [row.and([row('person_id', 'in', programs), row('bearer', 'not like', carriedPattern)])]),
          ]),
        )
        .execute()
      return new Set(rows.map(({ label }) => label))
    },

    async list({ personId }) {
      const rows = await database.query
        .selectFrom('flow_labels')
        .selectAll()
        .where('person_id', '=', personId)
        .orderBy('added_at')
        .orderBy('label')
        .limit(mostListed)
        .execute()
      return rows.map((row) => ({
        personId: row.person_id,
        bearer: row.bearer,
        label: row.label,
        source: {
          upstream: row.upstream,
          kind: row.target_kind as Target['kind'],
          ...(row.target_name === '' ? {} : { name: row.target_name }),
        },
        addedAt: Number(row.added_at),
      }))
    },
  }
}
