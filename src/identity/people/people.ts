/**
 * Who is there, and who may still come in? Listing, suspension, and a way back for those who lost their factors.
 * Stops a suspended person's sessions and tokens at once, and a house without an admin.
 * Trusts the caller for permission to act; who it was is recorded. Fails closed: no entry in the ledger, no change.
 * @see ASVS 6.4.4, 6.4.6, 7.4.2, 7.4.5
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import type { EventDefinition } from '#audit'
import { type EnrolmentLink, draftLink } from '../enrolment/links.ts'
import { personResumed, personSuspended, signInReset } from '../events.ts'
import { canonicalName } from '../names.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { approvalsNeeded } from '../recovery/two-persons.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { readAccount, readAccounts } from '../service-accounts/read-accounts.ts'
import { endCredentials, isLastAdmin, takeFactors } from './take-factors.ts'
import { forgiveStreaks } from '../sign-in/throttle.ts'

/** What is shown of a person. Times in wall-clock milliseconds. */
export interface PersonView {
  readonly id: string
  readonly name: string
  readonly displayName: string
  readonly status: 'active' | 'suspended'
  readonly kind: 'person' | 'service'
  /** Has chosen a password. */
  readonly isEnrolled: boolean
  /** An authenticator app or a passkey. */
  readonly hasSecondFactor: boolean
  readonly hasAuthenticator: boolean
  readonly recoveryCodesLeft: number
  /** Sorted. */
  readonly roles: readonly string[]
  readonly createdAt: number
}

export interface People {
  /** By name. */
  list(): Promise<PersonView[]>
  /** @param nameOrId any spelling of the name, or the id */
  find(nameOrId: string): Promise<PersonView | undefined>
  /** Ends sessions, tokens and open invitations of and by the person. The last active admin stays. */
  suspend(id: string, by: Actor): Promise<PersonView | Refusal>
  /** Allows signing in again; what was ended stays ended. Ends the count of failures. */
  resume(id: string, by: Actor): Promise<PersonView | Refusal>
  /** Takes away password, second factor, recovery codes, sessions and tokens, and makes a new invitation. */
  resetSecondFactor(id: string, by: Actor): Promise<EnrolmentLink | Refusal>
}

async function readPeople(query: Query, id?: string): Promise<PersonView[]> {
  const all = query.selectFrom('people').selectAll().orderBy('name')
  const people = await (id === undefined ? all : all.where('id', '=', id)).execute()
  const grants = await query.selectFrom('role_grants').select(['person_id', 'role']).execute()
  const factors = await query
    .selectFrom('second_factors')
    .select('person_id')
    .where('confirmed_at', 'is not', null)
    .execute()
  const codes = await query
    .selectFrom('recovery_codes')
    .select((select) => ['person_id', select.fn.countAll<number>().as('left')])
    .where('used_at', 'is', null)
    .groupBy('person_id')
    .execute()
  const passkeys = await query.selectFrom('passkeys').select('person_id').execute()
  const withAuthenticator = new Set(factors.map((factor) => factor.person_id))
  const withPasskey = new Set(passkeys.map((passkey) => passkey.person_id))
  const left = new Map(codes.map((row) => [row.person_id, row.left]))
  const roles = Map.groupBy(grants, (grant) => grant.person_id)
  return people.map((person) => ({
    id: person.id,
    name: person.name,
    displayName: person.display_name,
    status: person.status,
    kind: person.kind,
    isEnrolled: person.password_hash !== null,
    hasSecondFactor: withAuthenticator.has(person.id) || withPasskey.has(person.id),
    hasAuthenticator: withAuthenticator.has(person.id),
    recoveryCodesLeft: left.get(person.id) ?? 0,
    roles: (roles.get(person.id) ?? []).map(({ role }) => role).toSorted(),
    createdAt: person.created_at,
  }))
}

interface Work {
  readonly id: string
  readonly by: Actor
  readonly event: EventDefinition
  change(transaction: Query, person: PersonView, nowMs: number): Promise<Refusal | Record<string, number>>
}

/** Changes one person, whom the entry names with what it counted. */
async function changePerson(parts: Parts, { id, by, event, change }: Work): Promise<PersonView | Refusal> {
  const changed = await recordChange(parts, {
    async work(transaction) {
      const [person] = await readPeople(transaction, id)
      if (!person) return refuse(refusals.personUnknown)
      const counts = await change(transaction, person, parts.clock.now())
      if (isRefusal(counts)) return counts
      const [after = person] = await readPeople(transaction, id)
      return { person: after, counts }
    },
    tell: ({ person, counts }) => [
      event,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { person: person.id, name: person.name, ...counts },
      },
    ],
  })
  return isRefusal(changed) ? changed : changed.person
}

async function setStatus(transaction: Query, id: string, status: PersonView['status'], nowMs: number): Promise<void> {
  await transaction.updateTable('people').set({ status, updated_at: nowMs }).where('id', '=', id).execute()
  // INVARIANT: what an administrator decided of a person is not for their directory to undo.
  await transaction.updateTable('scim_people').set({ is_suspended_here: 0 }).where('person_id', '=', id).execute()
}

async function findPerson(query: Query, nameOrId: string): Promise<PersonView | undefined> {
  // WHY: the id goes first, because nothing stops a name from looking like the id of someone else.
  const [byId] = await readPeople(query, nameOrId)
  const name = canonicalName(nameOrId)
  if (byId || name === undefined) return byId
  const row = await query.selectFrom('people').select('id').where('name', '=', name).executeTakeFirst()
  return row && (await readPeople(query, row.id)).at(0)
}

async function resetSecondFactor(parts: Parts, id: string, by: Actor): Promise<EnrolmentLink | Refusal> {
  const { link, insert } = draftLink(parts, { kind: 'invitation', roles: [], by })
  const reset = await changePerson(parts, {
    id,
    by,
    event: signInReset,
    async change(transaction, person, nowMs) {
      if (person.kind === 'service') return refuse(refusals.accountNoPerson)
      if (await isLastAdmin(transaction, id)) return refuse(refusals.lastAdmin)
      // INVARIANT: it takes two to reset an administrator.
      if ((await approvalsNeeded(transaction, person.id, nowMs)) > 1) return refuse(refusals.resetNeedsTwo)
      const counts = await takeFactors(transaction, { personId: id, by, nowMs })
      if (isRefusal(counts)) return counts
      await insert(transaction, id)
      return counts
    },
  })
  return isRefusal(reset) ? reset : link
}

export function createPeople(parts: Parts): People {
  const { database } = parts
  return {
    list: () => readPeople(database.query),
    find: (nameOrId) => findPerson(database.query, nameOrId),

    suspend: (id, by) =>
      changePerson(parts, {
        id,
        by,
        event: personSuspended,
        async change(transaction, _person, nowMs) {
          if (await isLastAdmin(transaction, id)) return refuse(refusals.lastAdmin)
          await setStatus(transaction, id, 'suspended', nowMs)
          const counts = await endCredentials(transaction, { personId: id, by, reason: 'suspended', nowMs })
          const { length } = await readAccounts(transaction, nowMs, { ownerId: id })
          return length === 0 ? counts : { ...counts, serviceAccountsStopped: length }
        },
      }),

    resume: (id, by) =>
      changePerson(parts, {
        id,
        by,
        event: personResumed,
        async change(transaction, { kind }, nowMs) {
          if (kind === 'service' && (await readAccount(transaction, nowMs, id)) === undefined) {
            return refuse(refusals.accountUnknown)
          }
          await setStatus(transaction, id, 'active', nowMs)
          await forgiveStreaks(transaction, id)
          return {}
        },
      }),

    resetSecondFactor: (id, by) => resetSecondFactor(parts, id, by),
  }
}
