import type { Flag, JsonText, Milliseconds } from '../tables.ts'

/** A directory that may provision people. */
interface ScimConnectionsTable {
  name: string
  /** Of its own token; null when it comes with tokens of an OAuth client alone. */
  token_hash: string | null
  expires_at: Milliseconds | null
  /** The OAuth client that it comes as. */
  client_id: string | null
  /** The provider that its people sign in at. */
  provider: string | null
  /** What tells that an account there is a person of the connection. */
  link_by: 'sub' | 'oid' | 'email'
  created_at: Milliseconds
  created_by: string | null
}

/** Who belongs to which connection, as it tells of them. */
export interface ScimPeopleTable {
  person_id: string
  connection: string
  user_name: string
  /** In the one case that names are compared in. */
  user_name_folded: string
  external_id: string | null
  display_folded: string | null
  given_folded: string | null
  family_folded: string | null
  /** What it told and what has no column. */
  document: JsonText
  version: number
  is_adopted: Flag
  /** The connection suspended the person, and may end that. */
  is_suspended_here: Flag
  created_at: Milliseconds
  updated_at: Milliseconds
  /** The connection took the person away; nothing brings them back. */
  removed_at: Milliseconds | null
}

interface ScimEmailsTable {
  person_id: string
  place: number
  value_folded: string
  type_folded: string | null
  is_primary: Flag
}

export interface ScimGroupsTable {
  id: string
  connection: string
  display_name: string
  display_folded: string
  external_id: string | null
  version: number
  created_at: Milliseconds
  updated_at: Milliseconds
}

interface ScimMembersTable {
  group_id: string
  person_id: string
}

/** Which role the members of a group have. */
interface ScimMappingsTable {
  connection: string
  group_name: string
  role: string
  created_at: Milliseconds
  created_by: string | null
}

/** People and groups that directories tell of. */
export interface ScimTables {
  scim_connections: ScimConnectionsTable
  scim_people: ScimPeopleTable
  scim_emails: ScimEmailsTable
  scim_groups: ScimGroupsTable
  scim_members: ScimMembersTable
  scim_mappings: ScimMappingsTable
}
