/**
 * What is a person called here whom a directory makes? After their userName, unless somebody is called so already.
 * Stops: a directory's person standing where a person of somebody else stands, also one who signed in at its provider before.
 * Trusts: the caller's transaction. Fails: a name of somebody else is taken, and an administrator decides who it is.
 */
import { canonicalName, isFreeForPeople } from '../names.ts'
import type { Query } from '../parts.ts'

const mostTried = 1_000

interface Fresh {
  readonly connection: string
  readonly personId: string
  readonly userName: string
  readonly externalId: string | undefined
}

/** Whether the account that this would be is a person of somebody else already. */
async function isKnownAccount(transaction: Query, { connection, externalId }: Fresh): Promise<boolean> {
  if (externalId === undefined) return false
  const found = await transaction
    .selectFrom('scim_connections')
    .innerJoin('providers', 'providers.name', 'scim_connections.provider')
    .innerJoin('provider_identities', 'provider_identities.issuer', 'providers.issuer')
    .leftJoin('scim_people', 'scim_people.person_id', 'provider_identities.person_id')
    .select(['provider_identities.person_id', 'scim_people.connection as owner'])
    .where('scim_connections.name', '=', connection)
    .where('scim_connections.link_by', '=', 'sub')
    .where('provider_identities.subject', '=', externalId)
    .executeTakeFirst()
  return found !== undefined && found.owner !== connection
}

/** A name for the person; undefined when it would be that of somebody who does not belong to the connection. */
export async function freeName(transaction: Query, fresh: Fresh): Promise<string | undefined> {
  const { connection, personId, userName } = fresh
  if (await isKnownAccount(transaction, fresh)) return undefined
  const base = canonicalName(userName) ?? canonicalName(userName.split('@', 1)[0] ?? '')
  if (base === undefined) return `person-${personId}`
  if (!isFreeForPeople(base)) return undefined
  const rows = await transaction
    .selectFrom('people')
    .leftJoin('scim_people', 'scim_people.person_id', 'people.id')
    .select(['people.name', 'scim_people.connection as owner'])
    .where('people.name', 'like', `${base.slice(0, 59)}%`)
    .execute()
  const owners = new Map(rows.map((row) => [row.name, row.owner]))
  if (!owners.has(base)) return base
  if (owners.get(base) !== connection) return undefined
  for (let at = 2; at < mostTried; at++) {
    const name = `${base.slice(0, 59)}-${at}`
    if (!owners.has(name)) return name
  }
  return `person-${personId}`
}
