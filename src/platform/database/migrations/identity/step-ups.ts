import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const stepUps = createTable(
  'step_ups',
  `
    id text primary key,
    person_id text not null,
    bound_to text not null,
    client_name text not null,
    upstream text not null,
    permission text not null,
    target_kind text not null,
    target_name text not null,
    call_hash text not null,
    sealed_call text not null,
    state text not null check (state in ('pending', 'denied', 'proven', 'used')),
    created_at bigint not null,
    expires_at bigint not null,
    proven_at bigint,
    factors text,
    used_at bigint,
    rounds bigint not null default 0`,
)

const indexes = [
  'create index step_ups_of_person on step_ups (person_id, call_hash)',
  'create index step_ups_by_expiry on step_ups (expires_at)',
]

/** Single calls that wait for a fresh factor of their person, or passed with one. */
export const stepUpTables: Migration = {
  version: 11,
  name: 'step-ups',
  statements: {
    sqlite: [stepUps.sqlite, ...indexes],
    postgres: [stepUps.postgres, ...indexes, ...announce('step_ups')],
  },
}
