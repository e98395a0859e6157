/**
 * Who is behind a credential? The person with the roles they have at this moment.
 * Stops stale roles: they are read with the credential, never kept in it.
 * Trusts the database. Fails closed: a factor it does not know is left out.
 */
import type { Factor, Principal } from '#kernel'
import type { Query } from '../parts.ts'

const factors: readonly Factor[] = [
  'password',
  'totp',
  'recovery-code',
  'passkey',
  'identity-provider',
  'identity-provider-mfa',
  'client-secret',
  'client-key',
]
const secondFactors: readonly Factor[] = ['totp', 'recovery-code', 'passkey', 'identity-provider-mfa']

/** The factors kept with a credential. */
export function readFactors(json: string): readonly Factor[] {
  const kept: unknown = JSON.parse(json)
  return Array.isArray(kept) ? factors.filter((factor) => kept.includes(factor)) : []
}

/** Whether more than one factor was proved: a passkey is two, the device and what unlocked it. */
export function hasSecondFactor(proved: readonly Factor[]): boolean {
  return proved.some((factor) => secondFactors.includes(factor))
}

/** The names of a person's roles, sorted. */
export async function rolesOf(query: Query, personId: string): Promise<readonly string[]> {
  const rows = await query.selectFrom('role_grants').select('role').where('person_id', '=', personId).execute()
  return rows.map(({ role }) => role).toSorted()
}

/**
 * The groups that directories have a person in, as `<connection>/<group>`, sorted: groups of two directories that are
 * called the same are two groups.
 */
async function groupsOf(query: Query, personId: string): Promise<readonly string[]> {
  const rows = await query
    .selectFrom('scim_members')
    .innerJoin('scim_groups', 'scim_groups.id', 'scim_members.group_id')
    .select(['connection', 'display_name'])
    .where('scim_members.person_id', '=', personId)
    .execute()
  return rows.map((row) => `${row.connection}/${row.display_name}`).toSorted()
}

/** What a person has besides a name. */
export interface Belonging {
  readonly roles: readonly string[]
  readonly groups: readonly string[]
}

/** The roles and groups of a person. */
export async function belongingOf(query: Query, personId: string): Promise<Belonging> {
  return { roles: await rolesOf(query, personId), groups: await groupsOf(query, personId) }
}

export interface CredentialRow {
  readonly id: string
  readonly person_id: string
  readonly name: string
  readonly factors: string
  readonly expires_at: number
  /** `person` unless told. */
  readonly kind?: 'person' | 'service'
  /** When the factors were proved, where that is known. */
  readonly proved_at?: number | null
}

/** The principal of a credential that was found to hold. @param belonging roles and groups of this moment */
export function principalOf(
  kind: Principal['credential']['kind'],
  row: CredentialRow,
  { roles, groups }: Belonging,
): Principal {
  return Object.freeze({
    id: row.person_id,
    name: row.name,
    ...(row.kind === 'service' ? { isService: true as const } : {}),
    roles,
    ...(groups.length === 0 ? {} : { groups }),
    factors: readFactors(row.factors),
    ...(row.proved_at === undefined || row.proved_at === null ? {} : { factorsAt: row.proved_at }),
    credential: { kind, id: row.id, expiresAt: row.expires_at },
  })
}
