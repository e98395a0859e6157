import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const clients = createTable(
  'oauth_clients',
  `
    id text primary key,
    name text not null,
    registered_by text not null,
    redirect_hosts text not null,
    sealed_metadata text,
    person_id text,
    created_at bigint not null,
    created_by text,
    created_from text,
    approved_at bigint,
    approved_by text,
    blocked_at bigint,
    blocked_by text`,
)

const grants = createTable(
  'oauth_grants',
  `
    id text primary key,
    person_id text not null,
    client_id text not null,
    client_name text not null,
    resource text not null,
    scopes text not null,
    factors text not null,
    created_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    ended_by text,
    ended_reason text`,
)

const artifacts = createTable(
  'oauth_artifacts',
  `
    kind text not null,
    id_hash text not null,
    public_id text not null,
    grant_id text,
    client_id text,
    person_id text,
    lookup_hash text,
    sealed_payload text not null,
    created_at bigint not null,
    expires_at bigint not null,
    consumed_at bigint,
    answered_at bigint,
    ended_at bigint,
    primary key (kind, id_hash)`,
)

const keys = createTable(
  'oauth_keys',
  `
    name text primary key,
    sealed text not null,
    created_at bigint not null`,
)

const replays = createTable(
  'oauth_replays',
  `
    id_hash text primary key,
    expires_at bigint not null`,
)

const indexes = [
  'create index oauth_clients_of_address on oauth_clients (created_from, created_at)',
  'create index oauth_grants_of_person on oauth_grants (person_id)',
  'create index oauth_grants_of_client on oauth_grants (client_id)',
  'create index oauth_artifacts_of_grant on oauth_artifacts (grant_id)',
  'create index oauth_artifacts_by_id on oauth_artifacts (public_id)',
  'create index oauth_artifacts_by_lookup on oauth_artifacts (lookup_hash)',
  'create index oauth_artifacts_by_end on oauth_artifacts (expires_at)',
  'create index oauth_replays_by_end on oauth_replays (expires_at)',
]

const tables = [clients, grants, artifacts, keys, replays]

export const oauthTables: Migration = {
  version: 6,
  name: 'oauth',
  statements: {
    sqlite: [...tables.map(({ sqlite }) => sqlite), ...indexes],
    postgres: [
      ...tables.map(({ postgres }) => postgres),
      ...indexes,
      // WHY: whether a proof was seen before changes nothing that anybody remembers.
      ...['oauth_clients', 'oauth_grants', 'oauth_artifacts', 'oauth_keys'].flatMap(announce),
    ],
  },
}

// WHY: a row of its own, so that it is listed, named in grants and blocked like any other client.
const terminalRow = `insert into oauth_clients
  (id, name, registered_by, redirect_hosts, created_at, approved_at)
  values ('castellan-cli', 'Castellan in a terminal', 'built-in', '[]', 0, 0)`

/** The client that the `castellan` program is when it signs in by a browser. */
export const terminalClient: Migration = {
  version: 12,
  name: 'terminal',
  statements: { sqlite: [terminalRow], postgres: [terminalRow] },
}
