import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const drafts = createTable(
  'policy_drafts',
  `
    id text primary key,
    base_version bigint not null,
    document text not null,
    hash text not null,
    state text not null check (state in ('draft', 'proposed', 'published', 'abandoned')),
    author text not null,
    editors text not null,
    note text not null,
    checks text not null,
    decisions text not null,
    came_from text not null,
    published_version bigint,
    created_at bigint not null,
    updated_at bigint not null`,
)

const settings = createTable(
  'policy_settings',
  `
    name text primary key,
    value text not null`,
)

const document = 'alter table policy_snapshots add column document text'
const index = 'create index policy_drafts_by_time on policy_drafts (created_at)'

/** Policy snapshots keep what they were made from; drafts of the next one. */
export const policyChanges: Migration = {
  version: 16,
  name: 'policy-changes',
  statements: {
    sqlite: [document, drafts.sqlite, settings.sqlite, index],
    postgres: [
      `${document} collate "C"`,
      drafts.postgres,
      settings.postgres,
      index,
      ...announce('policy_drafts'),
      ...announce('policy_settings'),
    ],
  },
}
