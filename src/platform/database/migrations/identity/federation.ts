import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const providers = `
    name text primary key,
    title text not null,
    issuer text not null,
    client_id text not null,
    client_authentication text not null,
    sealed_secret text,
    settings text not null,
    created_at bigint not null,
    created_by text`

const identities = `
    issuer text not null,
    subject text not null,
    person_id text not null,
    provider text not null,
    roles text not null,
    created_at bigint not null,
    created_by text,
    last_seen_at bigint,
    primary key (issuer, subject)`

const attempts = `
    id_hash text primary key,
    provider text not null,
    step text not null check (step in ('callback', 'second-factor')),
    browser_hash text not null,
    sealed text not null,
    expires_at bigint not null`

const sessions = `
    session_id text primary key,
    provider text not null,
    issuer text not null,
    subject text not null,
    sid text,
    person_id text not null,
    sealed_id_token text not null,
    created_at bigint not null`

const logouts = `
    id_hash text primary key,
    issuer text not null,
    subject text,
    sid text,
    issued_at bigint not null,
    expires_at bigint not null`

const tables = [
  ['providers', providers],
  ['provider_identities', identities],
  ['provider_attempts', attempts],
  ['provider_sessions', sessions],
  ['provider_logouts', logouts],
] as const

const indexes: readonly string[] = [
  'create index provider_identities_of_person on provider_identities (person_id)',
  'create index provider_sessions_of_subject on provider_sessions (issuer, subject)',
]

/** Identity providers, who is whom there, and what is under way with them. */
export const federationTables: Migration = {
  version: 8,
  name: 'federation',
  statements: {
    sqlite: [...tables.map(([name, columns]) => createTable(name, columns).sqlite), ...indexes],
    postgres: [
      ...tables.map(([name, columns]) => createTable(name, columns).postgres),
      ...indexes,
      ...tables.flatMap(([name]) => announce(name)),
    ],
  },
}
