import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const connections = `
    name text primary key,
    token_hash text unique,
    expires_at bigint,
    client_id text unique,
    provider text,
    link_by text not null check (link_by in ('sub', 'oid', 'email')),
    created_at bigint not null,
    created_by text`

const people = `
    person_id text primary key,
    connection text not null,
    user_name text not null,
    user_name_folded text not null,
    external_id text,
    display_folded text,
    given_folded text,
    family_folded text,
    document text not null,
    version bigint not null,
    is_adopted bigint not null check (is_adopted in (0, 1)),
    is_suspended_here bigint not null check (is_suspended_here in (0, 1)),
    created_at bigint not null,
    updated_at bigint not null,
    removed_at bigint`

const emails = `
    person_id text not null,
    place bigint not null,
    value_folded text not null,
    type_folded text,
    is_primary bigint not null check (is_primary in (0, 1)),
    primary key (person_id, place)`

const groups = `
    id text primary key,
    connection text not null,
    display_name text not null,
    display_folded text not null,
    external_id text,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    unique (connection, display_folded)`

const members = `
    group_id text not null,
    person_id text not null,
    primary key (group_id, person_id)`

const mappings = `
    connection text not null,
    group_name text not null,
    role text not null,
    created_at bigint not null,
    created_by text,
    primary key (connection, group_name, role)`

const tables = [
  ['scim_connections', connections],
  ['scim_people', people],
  ['scim_emails', emails],
  ['scim_groups', groups],
  ['scim_members', members],
  ['scim_mappings', mappings],
] as const

const indexes: readonly string[] = [
  `create unique index scim_people_by_user_name on scim_people (connection, user_name_folded)
     where removed_at is null`,
  'create index scim_people_by_external_id on scim_people (connection, external_id)',
  'create index scim_emails_by_value on scim_emails (value_folded)',
  'create index scim_members_of_person on scim_members (person_id)',
]

/** Connections of directories, the people and groups that they tell of, and what their groups give. */
export const scimTables: Migration = {
  version: 9,
  name: 'scim',
  statements: {
    sqlite: [...tables.map(([name, columns]) => createTable(name, columns).sqlite), ...indexes],
    postgres: [
      ...tables.map(([name, columns]) => createTable(name, columns).postgres),
      ...indexes,
      ...tables.flatMap(([name]) => announce(name)),
    ],
  },
}
