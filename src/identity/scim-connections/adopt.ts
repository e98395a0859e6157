/**
 * May a directory have this person, who was here before it? When an administrator says so, and never an administrator.
 * Stops: a directory that takes people over by their names; a directory that stops or becomes an administrator.
 * Trusts: the caller for permission to act; who it was is recorded. Fails closed: no entry in the ledger, no change.
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import type { Actor, Parts, Query } from '../parts.ts'
import { approvalsNeeded } from '../recovery/two-persons.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { personAdopted } from '../scim/events.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { readUser } from '../scim-resources/read-user.ts'
import { columnsOf, isTaken } from '../scim-resources/user-rows.ts'
import { findConnection } from './connections.ts'

interface Adopted {
  readonly personId: string
  readonly userName: string
}

export interface Adoption {
  /** Hands a person over. @param asked `userName` is what the directory calls them, their name here unless told */
  adopt(
    asked: { readonly connection: string; readonly personId: string; readonly userName?: string | undefined },
    by: Actor,
  ): Promise<Adopted | Refusal>
}

function refused(problem: string): Refusal {
  return refuse(scimRefusals.adoptionRefused, { names: { problem } })
}

async function whyNot(transaction: Query, personId: string, nowMs: number): Promise<Refusal | undefined> {
  const owned = await transaction
    .selectFrom('scim_people')
    .select('connection')
    .where('person_id', '=', personId)
    .executeTakeFirst()
  if (owned !== undefined) return refused(`belongs to ${owned.connection}`)
  // INVARIANT: who is an administrator, or was one not long ago, belongs to no directory.
  return (await approvalsNeeded(transaction, personId, nowMs)) > 1 ? refused('administrator') : undefined
}

export function createAdoption(parts: Parts): Adoption {
  return {
    async adopt({ connection, personId, userName }, by) {
      const nowMs = parts.clock.now()
      return recordChange<Adopted>(parts, {
        async work(transaction) {
          const found = await findConnection(transaction, connection)
          if (isRefusal(found)) return found
          const person = await transaction
            .selectFrom('people')
            .selectAll()
            .where('id', '=', personId)
            .executeTakeFirst()
          if (person === undefined) return refuse(refusals.personUnknown)
          if (person.kind === 'service') return refused('service account')
          const refusal = await whyNot(transaction, personId, nowMs)
          if (refusal !== undefined) return refusal
          const told = readUser({ userName: userName ?? person.name, displayName: person.display_name })
          if (isRefusal(told)) return told
          const asked = { connection, userName: told.userName, exceptId: personId }
          if (await isTaken(transaction, asked)) return refuse(scimRefusals.userNameTaken)
          const times = { created_at: nowMs, updated_at: nowMs, removed_at: null }
          const ours = { connection, version: 1, is_adopted: 1 as const, is_suspended_here: 0 as const }
          await transaction
            .insertInto('scim_people')
            .values({ person_id: personId, ...columnsOf(told), ...ours, ...times })
            .execute()
          return { personId, userName: told.userName }
        },
        tell: (adopted) => [
          personAdopted,
          {
            principal: { id: by.id, name: by.name },
            outcome: 'succeeded',
            details: { connection, person: adopted.personId, userName: adopted.userName },
          },
        ],
      })
    },
  }
}
