/**
 * When did somebody sign in as this person, or try to? The newest sessions, ended ones too, and attempts that were refused.
 * Stops: a stranger's attempts from being known to administrators alone.
 * Trusts: the database for sessions; the ledger of this node for refused attempts, which other nodes keep in theirs.
 * Fails: with the page; nothing is left out in silence.
 * @see ASVS 6.3.5
 */
import type { Ledger } from '#audit'
import type { Factor } from '#kernel'
import type { Database } from '#platform/database'
import { readFactors } from '../credentials/principals.ts'
import { signInRefused } from '../events.ts'

/** One time that somebody signed in, or was refused. */
export interface SignInSeen {
  readonly atMs: number
  readonly address: string
  /** Of a sign-in that worked. */
  readonly session?: { readonly agent: string; readonly factors: readonly Factor[]; readonly hasEnded: boolean }
}

const mostSeen = 10

export interface SignIns {
  /** The last ten, newest first. */
  list(personId: string): Promise<readonly SignInSeen[]>
}

export function createSignIns(parts: { readonly database: Database; readonly ledger: Pick<Ledger, 'read'> }): SignIns {
  async function worked(personId: string): Promise<SignInSeen[]> {
    const rows = await parts.database.query
      .selectFrom('sessions')
      .select(['agent', 'address', 'factors', 'created_at', 'ended_at'])
      .where('person_id', '=', personId)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(mostSeen)
      .execute()
    return rows.map(({ agent, address, factors, created_at, ended_at }) => ({
      atMs: created_at,
      address,
      session: { agent, factors: readFactors(factors), hasEnded: ended_at !== null },
    }))
  }

  async function refused(person: string): Promise<SignInSeen[]> {
    const entries = await parts.ledger.read({ person, event: signInRefused.name, limit: mostSeen })
    return entries.map(({ time, address = '' }) => ({ atMs: Date.parse(time), address }))
  }

  return {
    async list(personId) {
      const both = await Promise.all([worked(personId), refused(personId)])
      return both
        .flat()
        .toSorted((one, other) => other.atMs - one.atMs)
        .slice(0, mostSeen)
    },
  }
}
