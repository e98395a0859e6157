/**
 * Who is this account at a provider, here? The person it is linked to, by issuer and subject and nothing else.
 * Stops: an account taking over a person by an equal name or e-mail address; two providers with one subject being one.
 * Trusts: the answer of the provider, which was checked before. Fails: an account that nobody linked is nobody, unless
 * the provider's setting makes a new person of it.
 * @see ASVS 6.8.1, 10.5.2
 */
import { type Refusal, createId, isRefusal, refuse } from '#kernel'
import { canonicalName, isFreeForPeople, readLine } from '../names.ts'
import type { Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { findProvisioned, takeLink } from '../scim-connections/provisioned.ts'
import { personLinked } from '../scim/events.ts'
import type { Asserted } from './claims.ts'
import { personProvisioned, rolesMapped } from './events.ts'
import { federationRefusals } from './refusals.ts'
import { syncRoles } from './roles.ts'
import type { Provider } from './settings.ts'

export interface Recognised {
  readonly personId: string
  readonly name: string
  /** Whether they came to be with this. */
  readonly isNew: boolean
  /** The directory that made them, where the account was linked with this. */
  readonly connection?: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

const mostTried = 100

/** The first of the candidates that can be a name and that nobody has, with a number behind it where one is needed. */
async function freeName(transaction: Query, candidates: readonly string[], personId: string): Promise<string> {
  for (const candidate of candidates) {
    const base = canonicalName(candidate)?.slice(0, 60)
    if (base === undefined) continue
    const rows = await transaction.selectFrom('people').select('name').where('name', 'like', `${base}%`).execute()
    const taken = new Set(rows.map(({ name }) => name))
    for (let at = 1; at < mostTried; at++) {
      const name = at === 1 ? base : `${base}-${at}`
      if (isFreeForPeople(name) && !taken.has(name)) return name
    }
  }
  return `person-${personId}`
}

async function provision(
  parts: Parts,
  transaction: Query,
  { provider, asserted, personId }: Sought,
): Promise<{ id: string; name: string } | Refusal> {
  const { settings, issuer } = provider
  if (settings.provision !== 'jit') return refuse(federationRefusals.notLinked, { detail: { reason: 'not-linked' } })
  if (!asserted.hasSecondFactor && parts.settings.secondFactor === 'required')
    return refuse(federationRefusals.secondFactorMissing, { detail: { reason: 'no-second-factor' } })
  const nowMs = parts.clock.now()
  const name = await freeName(transaction, asserted.names, personId)
  const display_name = readLine(asserted.displayName ?? '') ?? name
  const person = { id: personId, name, display_name, status: 'active' as const, password_hash: null }
  await transaction
    .insertInto('people')
    .values({ ...person, created_at: nowMs, updated_at: nowMs })
    .execute()
  const identity = { issuer, subject: asserted.subject, person_id: personId, provider: provider.name, roles: '[]' }
  await transaction
    .insertInto('provider_identities')
    .values({ ...identity, created_at: nowMs, created_by: null, last_seen_at: null })
    .execute()
  return person
}

interface Sought {
  readonly provider: Provider
  readonly asserted: Asserted
  /** Of a person who comes to be with this. */
  readonly personId: string
}

async function find(parts: Parts, transaction: Query, sought: Sought): Promise<Recognised | Refusal> {
  const { provider, asserted } = sought
  const identity = { issuer: provider.issuer, subject: asserted.subject }
  const known = await transaction
    .selectFrom('provider_identities')
    .innerJoin('people', 'people.id', 'provider_identities.person_id')
    .select(['people.id', 'people.name', 'people.status'])
    .where('issuer', '=', identity.issuer)
    .where('subject', '=', identity.subject)
    .executeTakeFirst()
  const provisioned = await findProvisioned(parts, transaction, { ...sought, linkedTo: known?.id })
  if (isRefusal(provisioned)) return provisioned
  if (known !== undefined && provisioned === undefined && known.status !== 'active') {
    return refuse(refusals.signInRefused, { detail: { reason: 'suspended', person: known.id } })
  }
  if (provisioned !== undefined) await takeLink(parts, transaction, { ...sought, personId: provisioned.id })
  const person = provisioned ?? known ?? (await provision(parts, transaction, sought))
  if ('kind' in person) return person
  const nowMs = parts.clock.now()
  const sync = { personId: person.id, provider: provider.name, wanted: asserted.roles, nowMs }
  const changed = await syncRoles(transaction, sync)
  const seen = { provider: provider.name, roles: JSON.stringify(asserted.roles), last_seen_at: nowMs }
  await transaction
    .updateTable('provider_identities')
    .set(seen)
    .where('issuer', '=', identity.issuer)
    .where('subject', '=', identity.subject)
    .execute()
  const how = provisioned === undefined ? {} : { connection: provisioned.connection }
  return { personId: person.id, name: person.name, isNew: known === undefined, ...how, ...changed }
}

/** The person behind an account, with the roles that their groups give at this moment. Refusals are the caller's to record. */
export function recognise(
  parts: Parts,
  { provider, asserted, address }: { provider: Provider; asserted: Asserted; address: string },
): Promise<Recognised | Refusal> {
  const personId = createId(parts.clock.now())
  return recordChange<Recognised>(parts, {
    work: (transaction) => find(parts, transaction, { provider, asserted, personId }),
    tell({ personId: id, name, isNew, connection, added, removed }) {
      const isLinked = connection !== undefined
      if (!isNew && !isLinked && added.length === 0 && removed.length === 0) return undefined
      const account = { provider: provider.name, issuer: provider.issuer, subject: asserted.subject }
      const principal = { id, name }
      const details = { ...account, ...(isLinked ? { connection } : {}), added, removed }
      return [
        isLinked ? personLinked : isNew ? personProvisioned : rolesMapped,
        { principal, address, outcome: 'succeeded', details },
      ]
    },
  })
}
