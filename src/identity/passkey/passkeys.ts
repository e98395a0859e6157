/**
 * Which passkeys does a person have? Public keys only, found by an id that is unique over all people.
 * Stops one authenticator from standing for two people, and a cloned one from going unnoticed: a counter never goes back.
 * Trusts the caller's transaction. Fails with it.
 * @see Web Authentication Level 3, sections 6.1.1 and 7.2, step 22
 */
import { randomBytes } from 'node:crypto'
import type { Query } from '../parts.ts'
import type { Asserted } from './verify.ts'

const handleBytes = 32

/** What is shown of a passkey. Times in wall-clock milliseconds. */
export interface PasskeyView {
  readonly id: string
  readonly name: string
  /** Model of the authenticator, as it says itself. */
  readonly aaguid: string
  /** Can leave its device. */
  readonly isSyncable: boolean
  /** Has left its device: kept by whoever synchronises it, too. */
  readonly isSynced: boolean
  readonly createdAt: number
  readonly lastUsedAt: number | null
}

export interface KeptPasskey {
  readonly id: string
  readonly personId: string
  readonly credentialId: string
  readonly publicKey: string
  readonly name: string
  readonly isSyncable: boolean
  /** Of its person. */
  readonly handle: string
}

/** In the order in which they were added. */
export async function listPasskeys(query: Query, personId: string): Promise<PasskeyView[]> {
  const rows = await query
    .selectFrom('passkeys')
    .selectAll()
    .where('person_id', '=', personId)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    aaguid: row.aaguid,
    isSyncable: row.is_syncable === 1,
    isSynced: row.is_synced === 1,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  }))
}

/** What a browser is told of a person's passkeys, to ask for one or to leave them out. */
export async function describeCredentials(query: Query, personId: string) {
  const rows = await query
    .selectFrom('passkeys')
    .select(['credential_id', 'transports'])
    .where('person_id', '=', personId)
    .orderBy('id')
    .execute()
  return rows.map((row) => ({
    type: 'public-key' as const,
    id: row.credential_id,
    transports: JSON.parse(row.transports) as string[],
  }))
}

/** The passkey with that credential id, whoever's it is. */
export async function findPasskey(query: Query, credentialId: string): Promise<KeptPasskey | undefined> {
  const row = await query
    .selectFrom('passkeys')
    .innerJoin('passkey_handles', 'passkey_handles.person_id', 'passkeys.person_id')
    .select(['id', 'passkeys.person_id', 'credential_id', 'public_key', 'name', 'is_syncable', 'handle'])
    .where('credential_id', '=', credentialId)
    .executeTakeFirst()
  return (
    row && {
      id: row.id,
      personId: row.person_id,
      credentialId: row.credential_id,
      publicKey: row.public_key,
      name: row.name,
      isSyncable: row.is_syncable === 1,
      handle: row.handle,
    }
  )
}

/** What authenticators know a person by: random, made with the first passkey, and never changed. */
export async function handleOf(query: Query, personId: string): Promise<string> {
  const fresh = { person_id: personId, handle: randomBytes(handleBytes).toString('base64url') }
  await query
    .insertInto('passkey_handles')
    .values(fresh)
    .onConflict((conflict) => conflict.column('person_id').doNothing())
    .execute()
  const found = query.selectFrom('passkey_handles').select('handle').where('person_id', '=', personId)
  return (await found.executeTakeFirstOrThrow()).handle
}

/**
 * Counts a use of a passkey.
 * @returns false when the passkey is gone, or when its counter did not go forward: two authenticators have its key
 */
export async function countUse(
  transaction: Query,
  passkey: KeptPasskey,
  { counter, isSynced, nowMs }: Pick<Asserted, 'counter' | 'isSynced'> & { readonly nowMs: number },
): Promise<boolean> {
  // SPEC: Web Authentication Level 3, section 7.2, step 22: an authenticator without a counter always says 0.
  const counted = await transaction
    .updateTable('passkeys')
    .set({ counter, is_synced: isSynced ? 1 : 0, last_used_at: nowMs })
    .where('id', '=', passkey.id)
    .where((where) => (counter === 0 ? where('counter', '=', 0) : where('counter', '<', counter)))
    .executeTakeFirst()
  return counted.numUpdatedRows === 1n
}
