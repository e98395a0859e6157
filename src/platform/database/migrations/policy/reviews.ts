import { createTable } from '../dialects.ts'
import type { Migration } from '../migration.ts'

const prints = createTable(
  'rule_prints',
  `
    print text primary key,
    rule text not null,
    since_version bigint not null,
    since_at bigint not null`,
)

const uses = createTable(
  'rule_uses',
  `
    ledger text not null,
    person_id text not null,
    print text not null,
    upstream text not null,
    kind text not null,
    name text not null,
    effect text not null,
    week bigint not null,
    uses bigint not null,
    first_at bigint not null,
    last_at bigint not null,
    last_seq bigint not null,
    primary key (person_id, print, ledger, upstream, kind, name, effect, week)`,
)

const cursors = createTable(
  'use_cursors',
  `
    ledger text primary key,
    seq bigint not null,
    begins_at bigint not null,
    read_at bigint not null`,
)

const campaigns = createTable(
  'review_campaigns',
  `
    id text primary key,
    name text not null,
    scope text not null,
    reviewers text not null,
    when_due text not null check (when_due in ('open', 'keep', 'revoke')),
    due_at bigint not null,
    state text not null check (state in ('open', 'closed')),
    told text not null check (told in ('nothing', 'asked', 'soon', 'due')),
    snapshot_version bigint not null,
    evidence text not null,
    created_at bigint not null,
    created_by text not null,
    closed_at bigint,
    closed_by text,
    draft text,
    export_hash text`,
)

const items = createTable(
  'review_items',
  `
    id text primary key,
    campaign text not null,
    place bigint not null,
    kind text not null check (kind in ('assignment', 'grant', 'account')),
    person_id text not null,
    role text not null,
    subject text not null,
    evidence text not null,
    reviewers text not null,
    state text not null check (state in ('open', 'kept', 'revoked', 'unanswered', 'gone')),
    revision bigint not null,
    decided_by text,
    decided_at bigint,
    reason text not null,
    outcome text not null,
    unique (campaign, place)`,
)

const tables = [prints, uses, cursors, campaigns, items]
const owner = 'alter table roles add column owner text'
const indexes = [
  'create index rule_uses_of_rule on rule_uses (print, last_at)',
  'create index review_items_by_state on review_items (campaign, state, place)',
]

/** What rules were used for; campaigns in which people look at who has what; who answers for a role. */
export const reviewTables: Migration = {
  version: 20,
  name: 'reviews',
  statements: {
    sqlite: [...tables.map(({ sqlite }) => sqlite), ...indexes, owner],
    // WHY: unannounced: nothing of it changes what is decided.
    postgres: [...tables.map(({ postgres }) => postgres), ...indexes, `${owner} collate "C"`],
  },
}
