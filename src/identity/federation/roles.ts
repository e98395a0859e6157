/**
 * Which roles does a provider give a person at this moment? What its mapping says of the groups it told of, and no more.
 * Stops: roles that outlive the group they came from; a provider taking away what a person was given by hand.
 * Trusts: the mark that each role given here has. Fails closed: a role that does not exist is not given.
 * @see ASVS 8.3.2, 10.3.2
 */
import type { Query } from '../parts.ts'

const markPrefix = 'provider:'

/** Stands where the person stands who gave a role by hand; no person's id looks like it. */
function markOf(provider: string): string {
  return markPrefix + provider
}

/** Another provider of the person that gives the role, too. */
async function otherGiver(
  transaction: Query,
  { personId, role, provider }: { personId: string; role: string; provider: string },
): Promise<string | undefined> {
  const rows = await transaction
    .selectFrom('provider_identities')
    .innerJoin('providers', 'providers.name', 'provider_identities.provider')
    .select(['provider_identities.provider', 'provider_identities.roles'])
    .where('person_id', '=', personId)
    .where('provider_identities.provider', '!=', provider)
    .execute()
  return rows.find((row) => (JSON.parse(row.roles) as string[]).includes(role))?.provider
}

async function take(transaction: Query, taken: { personId: string; role: string; provider: string }): Promise<boolean> {
  const { personId, role, provider } = taken
  const other = await otherGiver(transaction, taken)
  if (other === undefined) {
    const rows = transaction.deleteFrom('role_grants').where('person_id', '=', personId).where('role', '=', role)
    await rows.where('granted_by', '=', markOf(provider)).execute()
    return true
  }
  const handed = transaction.updateTable('role_grants').set({ granted_by: markOf(other) })
  await handed.where('person_id', '=', personId).where('role', '=', role).execute()
  return false
}

export interface RoleSync {
  readonly personId: string
  readonly provider: string
  readonly wanted: readonly string[]
  readonly nowMs: number
}

/** Makes the roles from one provider those that are wanted. Roles given by hand stay, and stay by hand. */
export async function syncRoles(transaction: Query, sync: RoleSync): Promise<{ added: string[]; removed: string[] }> {
  const { personId, provider, nowMs } = sync
  const held = await transaction
    .selectFrom('role_grants')
    .select(['role', 'granted_by'])
    .where('person_id', '=', personId)
    .execute()
  const existing = await transaction.selectFrom('roles').select('name').execute()
  const names = new Set(existing.map(({ name }) => name))
  const wanted = [...new Set(sync.wanted)].filter((role) => names.has(role)).toSorted()
  const removed: string[] = []
  for (const { role, granted_by } of held) {
    const isOurs = granted_by === markOf(provider) && !wanted.includes(role)
    if (isOurs && (await take(transaction, { personId, role, provider }))) removed.push(role)
  }
  const added = wanted.filter((role) => held.every((one) => one.role !== role))
  for (const role of added) {
    const grant = { person_id: personId, role, granted_at: nowMs, granted_by: markOf(provider) }
    await transaction.insertInto('role_grants').values(grant).execute()
  }
  return { added, removed: removed.toSorted() }
}

/** Takes away what a provider gave to all, or to one person. */
export async function dropRoles(transaction: Query, provider: string, nowMs: number, personId?: string): Promise<void> {
  const marked = transaction.selectFrom('role_grants').select('person_id').where('granted_by', '=', markOf(provider))
  const rows = await (personId === undefined ? marked : marked.where('person_id', '=', personId)).execute()
  for (const id of new Set(rows.map((row) => row.person_id))) {
    await syncRoles(transaction, { personId: id, provider, wanted: [], nowMs })
  }
}
