import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const asks = createTable(
  'remedy_asks',
  `
    id text primary key,
    person_id text not null,
    person_name text not null,
    actors text not null,
    bound_to text not null,
    client_name text not null,
    upstream text not null,
    permission text not null,
    target_kind text not null,
    target_name text not null,
    call_hash text not null,
    rules_hash text not null,
    rules text not null,
    snapshot bigint not null,
    sealed_call text not null,
    state text not null check (state in ('waiting', 'ready', 'used', 'denied', 'expired', 'void')),
    created_at bigint not null,
    asked_until bigint not null,
    expires_at bigint not null,
    ended_at bigint,
    rounds bigint not null default 0`,
)

const answers = createTable(
  'remedy_answers',
  `
    ask_id text not null,
    person_id text not null,
    rule text not null,
    person_name text not null,
    deed text not null check (deed in ('approved', 'denied', 'justified')),
    sealed_text text not null,
    answered_at bigint not null,
    primary key (ask_id, person_id, rule)`,
)

const roles = createTable(
  'remedy_approver_roles',
  `
    ask_id text not null,
    role text not null,
    primary key (ask_id, role)`,
)

const consents = createTable(
  'consents',
  `
    id text primary key,
    person_id text not null,
    bound_to text not null,
    client_name text not null,
    rule text not null,
    fingerprint text not null,
    purpose text not null,
    given_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint`,
)

const indexes = [
  'create index remedy_asks_of_person on remedy_asks (person_id, call_hash)',
  'create index remedy_asks_by_state on remedy_asks (state, expires_at)',
  'create index remedy_approver_roles_by_role on remedy_approver_roles (role)',
  'create index consents_of_person on consents (person_id)',
]

/** Calls that wait for an approval, a justification or a consent, and what was said to them. */
export const remedyTables: Migration = {
  version: 17,
  name: 'remedies',
  statements: {
    sqlite: [asks.sqlite, answers.sqlite, roles.sqlite, consents.sqlite, ...indexes],
    postgres: [
      asks.postgres,
      answers.postgres,
      roles.postgres,
      consents.postgres,
      ...indexes,
      ...announce('remedy_asks'),
      ...announce('remedy_answers'),
      ...announce('consents'),
    ],
  },
}
