/**
 * What does this process know of upstreams and pins, and is it still so?
 *
 * Stops: decisions on what another process has changed meanwhile.
 * Trusts: the database's revision to move with every committed change.
 * Fails: a refresh that cannot read throws; the caller refuses.
 */
import type { Selectable } from 'kysely'
import type { Database, Tables } from '#platform/database'
import type { Pin } from './definition.ts'
import type { UpstreamRecord } from './transports/transport.ts'

export interface Register {
  /** Sorted by name. */
  readonly records: ReadonlyMap<string, UpstreamRecord>
  readonly pins: ReadonlyMap<string, ReadonlyMap<string, Pin>>
}

export interface Registry {
  readonly current: Register
  /** Reads again when anything was committed since; otherwise returns at once, without a promise. */
  refresh(): void | Promise<void>
}

function readRecord(row: Selectable<Tables['upstreams']>): UpstreamRecord {
  return {
    name: row.name,
    transport: row.transport,
    ...(row.command === null ? {} : { command: JSON.parse(row.command) as string[] }),
    ...(row.url === null ? {} : { url: row.url }),
    environment: JSON.parse(row.environment) as Record<string, string>,
    isDemo: row.is_demo === 1,
  }
}

function statusOf(row: Selectable<Tables['tool_pins']>): Pin['status'] {
  if (row.approved_hash === null) return 'new'
  return row.approved_hash === row.seen_hash ? 'approved' : 'changed'
}

/** A row of `tool_pins` as a pin. */
export function readPin(row: Selectable<Tables['tool_pins']>): Pin {
  const approved = row.approved_definition
  return {
    upstream: row.upstream,
    tool: row.tool,
    status: statusOf(row),
    definition: JSON.parse(row.seen_definition) as Record<string, unknown>,
    ...(approved === null ? {} : { approvedDefinition: JSON.parse(approved) as Record<string, unknown> }),
    ...(row.approved_hash === null ? {} : { approvedHash: row.approved_hash }),
    seenHash: row.seen_hash,
    seenAt: Number(row.seen_at),
    ...(row.approved_at === null ? {} : { approvedAt: Number(row.approved_at) }),
    ...(row.approved_by === null ? {} : { approvedBy: row.approved_by }),
    isRejected: row.rejected_hash === row.seen_hash,
  }
}

async function load(database: Database): Promise<Register> {
  const rows = await database.query.selectFrom('upstreams').selectAll().orderBy('name').execute()
  const pinRows = await database.query.selectFrom('tool_pins').selectAll().orderBy('tool').execute()
  const pins = new Map<string, Map<string, Pin>>(rows.map((row) => [row.name, new Map()]))
  for (const row of pinRows) pins.get(row.upstream)?.set(row.tool, readPin(row))
  return { records: new Map(rows.map((row) => [row.name, readRecord(row)])), pins }
}

/** @param onChange called with what was known before, after a reading replaced it */
export function createRegistry(database: Database, onChange: (before: Register, after: Register) => void): Registry {
  let current: Register = { records: new Map(), pins: new Map() }
  let revision: number | undefined
  let loading: Promise<void> | undefined

  function start(): Promise<void> {
    const startedAt = database.revision()
    loading = load(database)
      .then((register) => {
        const before = current
        current = register
        revision = startedAt
        onChange(before, register)
      })
      .finally(() => (loading = undefined))
    return loading
  }

  return {
    get current() {
      return current
    },
    refresh() {
      if (loading === undefined) return revision === database.revision() ? undefined : start()
      // WHY: the reading under way may have begun before the change this caller must see; one begun after it cannot.
      return loading.catch(() => undefined).then(() => loading ?? start())
    },
  }
}
