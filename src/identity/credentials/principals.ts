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

export interface CredentialRow {
  readonly id: string
  readonly person_id: string
  readonly name: string
  readonly factors: string
  readonly expires_at: number
  /** `person` unless told. */
  readonly kind?: 'person' | 'service'
}

/** The principal of a credential that was found to hold. */
export function principalOf(
  kind: Principal['credential']['kind'],
  row: CredentialRow,
  roles: readonly string[],
): Principal {
  return Object.freeze({
    id: row.person_id,
    name: row.name,
    ...(row.kind === 'service' ? { isService: true as const } : {}),
    roles,
    factors: readFactors(row.factors),
    credential: { kind, id: row.id, expiresAt: row.expires_at },
  })
}
