/**
 * What did a person let a client do, and has it ended? One grant for each time somebody said yes; its tokens live and die
 * with it.
 * Stops: tokens that outlive what they were made from; consent that nobody can look up or take back.
 * Trusts: the ledger's receipt and the database's transaction. Fails closed: no entry in the ledger, no change.
 * @see docs/decisions/0030-authorization-server.md
 */
import { type Factor, type Refusal, createId, refuse } from '#kernel'
import { readFactors } from '../credentials/principals.ts'
import { type Actor, type Query, castellan } from '../parts.ts'
import { readExchanged } from '../oauth-exchange/exchanged.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { grantEnded, grantMade } from './events.ts'
import type { OauthParts } from './parts.ts'
import { endArtifacts } from './artifacts.ts'

const dayMs = 86_400_000
const mostListed = 1_000

/** What is shown of a grant. Times in wall-clock milliseconds. */
export interface GrantView {
  readonly id: string
  readonly personId: string
  readonly clientId: string
  readonly clientName: string
  readonly resource: string
  readonly scopes: readonly string[]
  readonly factors: readonly Factor[]
  readonly createdAt: number
  readonly expiresAt: number
}

export interface Grants {
  /** Those that hold at this moment, newest first, at most 1000; of everybody without a person. */
  list(personId?: string): Promise<GrantView[]>
  /**
   * Ends a grant and everything made from it, on all nodes.
   * @param options.ownerId when given, only a grant of this person; another's is unknown
   */
  end(id: string, by: Actor, options: { reason: string; ownerId?: string }): Promise<GrantView | Refusal>
}

interface Row {
  readonly id: string
  readonly person_id: string
  readonly client_id: string
  readonly client_name: string
  readonly resource: string
  readonly scopes: string
  readonly factors: string
  readonly created_at: number
  readonly expires_at: number
}

function viewOf(row: Row): GrantView {
  return {
    id: row.id,
    personId: row.person_id,
    clientId: row.client_id,
    clientName: row.client_name,
    resource: row.resource,
    scopes: row.scopes === '' ? [] : row.scopes.split(' '),
    factors: readFactors(row.factors),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

/** What a person says yes to. */
export interface NewGrant {
  readonly person: Actor
  readonly factors: readonly Factor[]
  /** When they were proved, where that is known: what is made from the grant is no younger. */
  readonly factorsAt?: number | undefined
  readonly client: { readonly id: string; readonly name: string }
  readonly resource: string
  readonly scopes: readonly string[]
  readonly address?: string | undefined
  /** Where it ends before the longest life of a grant. */
  readonly lifeSeconds?: number
  /** How it came about: `consent`, `device`, `identity-assertion`, `token-exchange`. */
  readonly by: string
}

/** A grant as it is written first. */
export function grantRow({ clock, settings }: Pick<OauthParts, 'clock' | 'settings'>, made: NewGrant) {
  const now = clock.now()
  const lifeMs = made.lifeSeconds === undefined ? settings.oauth.grantDays * dayMs : made.lifeSeconds * 1_000
  return {
    id: createId(now),
    person_id: made.person.id,
    client_id: made.client.id,
    client_name: made.client.name,
    resource: made.resource,
    scopes: made.scopes.join(' '),
    factors: JSON.stringify(made.factors),
    proved_at: made.factorsAt ?? null,
    created_at: now,
    expires_at: now + lifeMs,
    ended_at: null,
    ended_by: null,
    ended_reason: null,
  }
}

/** Writes a grant down, in the ledger first. @throws Fault when it cannot be recorded */
export async function makeGrant(
  parts: Pick<OauthParts, 'database' | 'ledger' | 'clock' | 'settings'>,
  made: NewGrant,
): Promise<GrantView> {
  const row = grantRow(parts, made)
  const view = await recordChange(parts, {
    async work(transaction) {
      await transaction.insertInto('oauth_grants').values(row).execute()
      return viewOf(row)
    },
    tell: ({ id, resource, scopes }) => [
      grantMade,
      {
        principal: { id: made.person.id, name: made.person.name },
        address: made.address,
        outcome: 'succeeded',
        details: { grant: id, client: made.client.id, clientName: made.client.name, resource, scopes, by: made.by },
      },
    ],
  })
  if ('kind' in view) throw new TypeError('a grant is never refused here')
  return view
}

async function endOne(
  parts: Pick<OauthParts, 'database' | 'ledger' | 'clock'>,
  id: string,
  by: Actor,
  { reason, ownerId }: { reason: string; ownerId?: string },
): Promise<GrantView | Refusal> {
  return recordChange<GrantView>(parts, {
    async work(transaction) {
      const found = transaction
        .selectFrom('oauth_grants')
        .selectAll()
        .where('id', '=', id)
        .where('ended_at', 'is', null)
      const row = await (ownerId === undefined ? found : found.where('person_id', '=', ownerId)).executeTakeFirst()
      if (!row) return refuse(refusals.grantUnknown)
      const now = parts.clock.now()
      const end = { ended_at: now, ended_by: by.id, ended_reason: reason }
      await transaction.updateTable('oauth_grants').set(end).where('id', '=', id).execute()
      await endArtifacts(transaction, id, now)
      return viewOf(row)
    },
    tell: (view) => [
      grantEnded,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { grant: id, client: view.clientId, person: view.personId, resource: view.resource, reason },
      },
    ],
  })
}

/** Ends the grants of a person, or those to a client, in a transaction that has its own entry. @returns how many */
export async function endGrants(
  transaction: Query,
  ended: {
    readonly whose: { readonly personId: string } | { readonly clientId: string }
    readonly by: Actor
    readonly reason: string
    readonly nowMs: number
  },
): Promise<number> {
  const { whose, by, reason, nowMs } = ended
  const [column, value] =
    'personId' in whose ? (['person_id', whose.personId] as const) : (['client_id', whose.clientId] as const)
  const outcome = await transaction
    .updateTable('oauth_grants')
    .set({ ended_at: nowMs, ended_by: by.id, ended_reason: reason })
    .where(column, '=', value)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  await transaction
    .updateTable('oauth_artifacts')
    .set({ ended_at: nowMs })
    .where(column, '=', value)
    .where('ended_at', 'is', null)
    .execute()
  return Number(outcome.numUpdatedRows)
}

/** Which of the grants that some rest on do not hold any more. */
async function endedAmong(query: Query, rows: readonly { readonly exchanged: string | null }[]): Promise<Set<string>> {
  const ids = new Set(rows.flatMap(({ exchanged }) => readExchanged(exchanged)?.grants ?? []))
  if (ids.size === 0) return ids
  const held = query.selectFrom('oauth_grants').select('id').where('ended_at', 'is', null)
  for (const { id } of await held.where('id', 'in', [...ids]).execute()) ids.delete(id)
  return ids
}

export function createGrants(parts: Pick<OauthParts, 'database' | 'ledger' | 'clock'>): Grants {
  return {
    async list(personId) {
      const all = parts.database.query
        .selectFrom('oauth_grants')
        .selectAll()
        .where('ended_at', 'is', null)
        .where('expires_at', '>', parts.clock.now())
        .orderBy('id', 'desc')
        .limit(mostListed)
      const rows = await (personId === undefined ? all : all.where('person_id', '=', personId)).execute()
      const ended = await endedAmong(parts.database.query, rows)
      return rows.filter(({ exchanged }) => !readExchanged(exchanged)?.grants.some((id) => ended.has(id))).map(viewOf)
    },
    end: (id, by, options) => endOne(parts, id, by, options),
  }
}

/** Ends a grant because of what a client did; nothing when it has ended. */
export async function endByItself(
  parts: Pick<OauthParts, 'database' | 'ledger' | 'clock'>,
  id: string,
  reason: string,
): Promise<void> {
  await endOne(parts, id, castellan, { reason })
}
