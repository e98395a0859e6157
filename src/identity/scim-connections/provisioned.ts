/**
 * Is this account at a provider a person that a directory made? Once: from then on it is the link that counts.
 * Stops: an account taking over a person by a name or an address that nobody made sure of; a directory that leads an account
 * to an administrator, or to somebody who was here before it; a person taken away who comes back as somebody new.
 * Trusts: claims of the provider's signed token. Fails closed: in doubt nobody is recognised.
 * @see docs/decisions/0035-people-come-from-directories.md; ASVS 6.8.1
 */
import { type Refusal, refuse } from '#kernel'
import type { Asserted } from '../federation/claims.ts'
import { federationRefusals } from '../federation/refusals.ts'
import type { Provider } from '../federation/settings.ts'
import { adminRole } from '../enrolment/links.ts'
import type { Parts, Query } from '../parts.ts'
import { approvalsNeeded } from '../recovery/two-persons.ts'
import { refusals } from '../refusals.ts'
import { foldText } from '../scim-resources/attributes.ts'
import { markOf } from './sync-roles.ts'

export interface Provisioned {
  readonly id: string
  readonly name: string
  readonly connection: string
}

interface Account {
  readonly provider: Pick<Provider, 'name' | 'issuer'>
  readonly asserted: Pick<Asserted, 'subject' | 'known'>
}

type Tie = { readonly name: string; readonly link_by: 'sub' | 'oid' | 'email' }

function matching(transaction: Query, { asserted: { subject, known } }: Account, { name, link_by }: Tie) {
  const rows = transaction
    .selectFrom('scim_people as told')
    .innerJoin('people as person', 'person.id', 'told.person_id')
    .select(['person.id', 'person.name', 'person.status', 'told.connection', 'told.is_adopted', 'told.removed_at'])
    .where('told.connection', '=', name)
  const told = link_by === 'sub' ? subject : link_by === 'oid' ? known.oid : known.email
  if (told === undefined || told === '') return undefined
  return link_by === 'email'
    ? rows.where('told.user_name_folded', '=', foldText(told))
    : rows.where('told.external_id', '=', told)
}

async function candidates(transaction: Query, account: Account) {
  const ties = await transaction
    .selectFrom('scim_connections')
    .select(['name', 'link_by'])
    .where('provider', '=', account.provider.name)
    .execute()
  const found = await Promise.all(ties.map(async (tie) => (await matching(transaction, account, tie)?.execute()) ?? []))
  return found.flat()
}

type Candidate = Awaited<ReturnType<typeof candidates>>[number]

/** Whether somebody else than the directory made an administrator of the person. */
async function isAdministrator(transaction: Query, { id, connection }: Candidate, nowMs: number): Promise<boolean> {
  const grant = await transaction
    .selectFrom('role_grants')
    .select('granted_by')
    .where('person_id', '=', id)
    .where('role', '=', adminRole)
    .executeTakeFirst()
  // WHY: whose groups may make administrators leads nobody further than it may already.
  if (grant?.granted_by === markOf(connection)) return false
  return (await approvalsNeeded(transaction, id, nowMs)) > 1
}

async function whyNot(transaction: Query, account: Account, candidate: Candidate, nowMs: number) {
  if (candidate.is_adopted === 1) return 'was here before the directory'
  const linked = await transaction
    .selectFrom('provider_identities')
    .select('subject')
    .where('issuer', '=', account.provider.issuer)
    .where('person_id', '=', candidate.id)
    .executeTakeFirst()
  if (linked !== undefined) return 'linked to another account'
  return (await isAdministrator(transaction, candidate, nowMs)) ? 'administrator' : undefined
}

/** Whether the link of an account leads to somebody whom their directory took away. */
async function isTakenAway(transaction: Query, personId: string): Promise<boolean> {
  const found = await transaction
    .selectFrom('scim_people')
    .select('removed_at')
    .where('person_id', '=', personId)
    .executeTakeFirst()
  return found !== undefined && found.removed_at !== null
}

/**
 * The person that a directory made for this account, when it comes for the first time.
 * @param parts `linkedTo` is the person whom the account is linked to already
 * @returns undefined when no directory knows the account, or the link that there is counts
 */
export async function findProvisioned(
  parts: Pick<Parts, 'clock'>,
  transaction: Query,
  account: Account & { readonly linkedTo: string | undefined },
): Promise<Provisioned | Refusal | undefined> {
  const { linkedTo } = account
  if (linkedTo !== undefined && !(await isTakenAway(transaction, linkedTo))) return undefined
  const known = await candidates(transaction, account)
  const present = known.filter((one) => one.removed_at === null)
  const [found, ...others] = present
  if (found === undefined) {
    if (known.length === 0 || linkedTo !== undefined) return undefined
    return refuse(refusals.signInRefused, { detail: { reason: 'taken away by the directory' } })
  }
  const detail = { person: found.id, connection: found.connection }
  if (others.length > 0) return refuse(federationRefusals.notLinked, { detail: { reason: 'several people' } })
  if (found.status !== 'active') return refuse(refusals.signInRefused, { detail: { ...detail, reason: 'suspended' } })
  const reason = await whyNot(transaction, account, found, parts.clock.now())
  if (reason !== undefined) return refuse(federationRefusals.notLinked, { detail: { ...detail, reason } })
  return { id: found.id, name: found.name, connection: found.connection }
}

/** Links an account to the person that a directory made for it. */
export async function takeLink(
  parts: Pick<Parts, 'clock'>,
  transaction: Query,
  { provider, asserted, personId }: Account & { readonly personId: string },
): Promise<void> {
  const link = { person_id: personId, provider: provider.name, roles: '[]', created_at: parts.clock.now() }
  await transaction
    .insertInto('provider_identities')
    .values({ issuer: provider.issuer, subject: asserted.subject, ...link, created_by: null, last_seen_at: null })
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doUpdateSet(link))
    .execute()
}
