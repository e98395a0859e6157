import type { Migration } from '../migration.ts'
import { announce, createTable } from '../dialects.ts'

const holds = createTable(
  'wider_holds',
  `
    id text primary key,
    kind text not null check (kind in ('person', 'client', 'address', 'tool', 'upstream', 'everything')),
    subject text not null,
    reason text not null,
    placed_by text not null,
    placed_at bigint not null,
    expires_at bigint,
    lifted_at bigint,
    lifted_by text`,
)

const widened = [
  'insert into wider_holds select * from holds',
  'drop table holds',
  'alter table wider_holds rename to holds',
]

const budgets = createTable(
  'budgets',
  `
    id text primary key,
    kind text not null check (kind in ('principal', 'role', 'tool', 'upstream', 'bundle')),
    subject text not null,
    meter text not null check (meter in ('calls', 'bytes', 'units')),
    period text not null check (period in ('hour', 'day', 'month')),
    amount bigint not null,
    set_at bigint not null,
    set_by text not null,
    unique (kind, subject, meter, period)`,
)

// WHY: unannounced: what is taken out of a budget changes no rule.
const windows = createTable(
  'budget_windows',
  `
    budget_id text not null,
    window_at bigint not null,
    holder text not null,
    taken bigint not null,
    primary key (budget_id, window_at, holder)`,
)

const costs = createTable(
  'tool_costs',
  `
    upstream text not null,
    tool text not null,
    units bigint not null,
    primary key (upstream, tool)`,
)

/** Holds on clients and addresses besides; budgets, what is taken out of them, and what tools cost. */
export const budgetTables: Migration = {
  version: 18,
  name: 'budgets',
  statements: {
    sqlite: [holds.sqlite, ...widened, budgets.sqlite, windows.sqlite, costs.sqlite],
    postgres: [
      holds.postgres,
      ...widened,
      budgets.postgres,
      windows.postgres,
      costs.postgres,
      ...announce('holds'),
      ...announce('budgets'),
      ...announce('tool_costs'),
    ],
  },
}
