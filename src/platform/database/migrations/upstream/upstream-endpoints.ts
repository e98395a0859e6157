import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const endpoints = createTable(
  'upstream_endpoints',
  `
    upstream text not null,
    id text not null,
    url text not null,
    weight bigint not null check (weight between 1 and 100),
    region text,
    created_at bigint not null,
    created_by text,
    primary key (upstream, id)`,
)

/** An address that stood beside its upstream becomes the first of its endpoints. */
const move = `
  insert into upstream_endpoints (upstream, id, url, weight, region, created_at, created_by)
  select name, '00000000', url, 1, null, created_at, created_by from upstreams where url is not null`

const statements = [move, 'alter table upstreams drop column url']

export const upstreamEndpoints: Migration = {
  version: 2,
  name: 'upstream-endpoints',
  statements: {
    sqlite: [endpoints.sqlite, ...statements],
    postgres: [endpoints.postgres, ...statements, ...announce('upstream_endpoints')],
  },
}
