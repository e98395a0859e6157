import type { Migration } from './migration.ts'
import { announce, createTable } from './dialects.ts'

const tables: Readonly<Record<string, string>> = {
  people: `
    id text primary key,
    name text not null unique,
    display_name text not null,
    status text not null check (status in ('active', 'suspended')),
    password_hash text,
    created_at bigint not null,
    updated_at bigint not null`,
  second_factors: `
    id text primary key,
    person_id text not null,
    kind text not null check (kind in ('totp')),
    sealed_secret text not null,
    confirmed_at bigint,
    last_step bigint`,
  recovery_codes: `
    id text primary key,
    person_id text not null,
    code_hash text not null,
    used_at bigint`,
  sessions: `
    id text primary key,
    token_hash text not null unique,
    person_id text not null,
    factors text not null,
    address text not null,
    agent text not null,
    created_at bigint not null,
    last_seen_at bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    ended_reason text`,
  access_tokens: `
    id text primary key,
    token_hash text not null unique,
    person_id text not null,
    label text not null,
    resource text not null,
    factors text not null,
    created_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint,
    revoked_by text`,
  enrolments: `
    id text primary key,
    token_hash text not null unique,
    kind text not null check (kind in ('setup', 'invitation')),
    person_id text,
    roles text not null,
    expires_at bigint not null,
    used_at bigint,
    created_at bigint not null,
    created_by text,
    sealed_draft text,
    attempts bigint not null default 0`,
  throttles: `
    key text primary key,
    failures bigint not null,
    window_started_at bigint not null,
    blocked_until bigint not null default 0`,
  roles: `
    name text primary key,
    grants text not null,
    description text not null,
    is_shipped bigint not null check (is_shipped in (0, 1)),
    updated_at bigint not null`,
  role_grants: `
    person_id text not null,
    role text not null,
    granted_at bigint not null,
    granted_by text,
    primary key (person_id, role)`,
  policy_snapshots: `
    version bigint primary key,
    hash text not null,
    cedar text not null,
    created_at bigint not null,
    created_by text`,
  holds: `
    id text primary key,
    kind text not null check (kind in ('person', 'tool', 'upstream', 'everything')),
    subject text not null,
    reason text not null,
    placed_by text not null,
    placed_at bigint not null,
    expires_at bigint,
    lifted_at bigint,
    lifted_by text`,
  upstreams: `
    name text primary key,
    transport text not null check (transport in ('stdio', 'http')),
    command text,
    url text,
    environment text not null,
    created_at bigint not null,
    created_by text,
    is_demo bigint not null check (is_demo in (0, 1))`,
  tool_pins: `
    upstream text not null,
    tool text not null,
    approved_hash text,
    approved_definition text,
    approved_at bigint,
    approved_by text,
    seen_hash text not null,
    seen_definition text not null,
    seen_at bigint not null,
    rejected_hash text,
    primary key (upstream, tool)`,
}

const indexes: readonly string[] = [
  'create index second_factors_of_person on second_factors (person_id)',
  'create index recovery_codes_of_person on recovery_codes (person_id, code_hash)',
  'create index sessions_of_person on sessions (person_id)',
  'create index access_tokens_of_person on access_tokens (person_id)',
  'create index role_grants_of_role on role_grants (role)',
]

const announcement = `
  create function castellan_announce() returns trigger language plpgsql as
  $$ begin perform pg_notify('castellan_changed', ''); return null; end $$`

export const firstTables: Migration = {
  version: 1,
  name: 'first-tables',
  statements: {
    sqlite: [...Object.entries(tables).map(([name, columns]) => createTable(name, columns).sqlite), ...indexes],
    postgres: [
      ...Object.entries(tables).map(([name, columns]) => createTable(name, columns).postgres),
      ...indexes,
      // WHY: locking it is how writers take turns; it never has a row.
      'create table castellan_turn (turn int)',
      announcement,
      ...Object.keys(tables).flatMap(announce),
    ],
  },
}
