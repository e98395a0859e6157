import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const classifications = createTable(
  'classifications',
  `
    upstream text not null,
    tool text not null,
    approved_hash text not null,
    classification text not null,
    set_at bigint not null,
    set_by text not null,
    primary key (upstream, tool)
  `,
)

/** What administrators said that tools and servers do and hold; an empty tool is the server as a whole. */
export const classificationTables: Migration = {
  version: 15,
  name: 'classifications',
  statements: {
    sqlite: [classifications.sqlite],
    postgres: [classifications.postgres, ...announce('classifications')],
  },
}
