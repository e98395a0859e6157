import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const bundles = createTable(
  'bundles',
  `
    name text primary key,
    created_at bigint not null,
    created_by text`,
)

const members = createTable(
  'bundle_members',
  `
    bundle text not null,
    upstream text not null,
    place bigint not null,
    primary key (bundle, upstream)`,
)

const index = 'create index bundle_members_of_upstream on bundle_members (upstream)'

export const bundleTables: Migration = {
  version: 4,
  name: 'bundles',
  statements: {
    sqlite: [bundles.sqlite, members.sqlite, index],
    postgres: [bundles.postgres, members.postgres, index, ...announce('bundles'), ...announce('bundle_members')],
  },
}
