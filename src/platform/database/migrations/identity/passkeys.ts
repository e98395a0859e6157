import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const passkeys = `
    id text primary key,
    person_id text not null,
    credential_id text not null unique,
    public_key text not null,
    algorithm bigint not null,
    counter bigint not null,
    name text not null,
    transports text not null,
    aaguid text not null,
    is_syncable bigint not null check (is_syncable in (0, 1)),
    is_synced bigint not null check (is_synced in (0, 1)),
    created_at bigint not null,
    last_used_at bigint`

const handles = `
    person_id text primary key,
    handle text not null unique`

const challenges = `
    challenge_hash text primary key,
    spent_at bigint not null`

const resets = `
    id text primary key,
    token_hash text unique,
    person_id text not null,
    kind text not null check (kind in ('password-lost', 'factors-lost')),
    reason text not null,
    approvals_needed bigint not null,
    started_by text not null,
    started_at bigint not null,
    expires_at bigint not null,
    attempts bigint not null default 0,
    ended_at bigint,
    ended_reason text`

const approvals = `
    reset_id text not null,
    approver_id text not null,
    approved_at bigint not null,
    primary key (reset_id, approver_id)`

const notices = `
    id text primary key,
    person_id text not null,
    kind text not null,
    details text not null,
    created_at bigint not null,
    read_at bigint`

const tables = [
  ['passkeys', passkeys],
  ['passkey_handles', handles],
  ['spent_challenges', challenges],
  ['resets', resets],
  ['reset_approvals', approvals],
  ['notices', notices],
] as const

// WHY: strict tables know only `integer`.
const administered = (type: string) => `alter table people add column administered_at ${type}`

const indexes: readonly string[] = [
  'create index passkeys_of_person on passkeys (person_id)',
  'create index resets_of_person on resets (person_id)',
  'create index notices_of_person on notices (person_id, id)',
]

/** Passkeys and what proves with them, resets that two persons approve, and notices to people. */
export const passkeyTables: Migration = {
  version: 5,
  name: 'passkeys',
  statements: {
    sqlite: [
      ...tables.map(([name, columns]) => createTable(name, columns).sqlite),
      administered('integer'),
      ...indexes,
    ],
    postgres: [
      ...tables.map(([name, columns]) => createTable(name, columns).postgres),
      administered('bigint'),
      ...indexes,
      // WHY: whether a challenge was seen before changes nothing that anybody remembers.
      ...tables.flatMap(([name]) => (name === 'spent_challenges' ? [] : announce(name))),
    ],
  },
}
