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
import { readEndpoint } from './balance/endpoint-store.ts'
import { type Classified, readClassifications } from './classify/read-classifications.ts'
import { keepCurrent, type Kept } from './kept.ts'
import { addressesOf } from './pins/addresses.ts'
import { pinColumns, readPin } from './pins/read-pin.ts'
import type { UpstreamEndpoint, UpstreamRecord } from './transports/transport.ts'

export interface Register {
  /** Sorted by name. */
  readonly records: ReadonlyMap<string, UpstreamRecord>
  readonly pins: ReadonlyMap<string, ReadonlyMap<string, Pin>>
  readonly classifications: Classified
}

export type Registry = Kept<Register>

function readRecord(row: Selectable<Tables['upstreams']>, endpoints: readonly UpstreamEndpoint[]): UpstreamRecord {
  const [first] = endpoints
  return {
    name: row.name,
    transport: row.transport,
    ...(row.command === null ? {} : { command: JSON.parse(row.command) as string[] }),
    ...(first === undefined ? {} : { url: first.url, endpoints }),
    environment: JSON.parse(row.environment) as Record<string, string>,
    isDemo: row.is_demo === 1,
  }
}

async function load(database: Database): Promise<Register> {
  const rows = await database.query.selectFrom('upstreams').selectAll().orderBy('name').execute()
  const oldestFirst = database.query.selectFrom('upstream_endpoints').selectAll().orderBy('created_at').orderBy('id')
  const endpoints = Map.groupBy(await oldestFirst.execute(), (row) => row.upstream)
  const records = rows.map((row) => readRecord(row, (endpoints.get(row.name) ?? []).map(readEndpoint)))
  const addresses = new Map(records.map((record) => [record.name, addressesOf(record)] as const))
  const pinRows = await database.query.selectFrom('tool_pins').select(pinColumns).orderBy('tool').execute()
  const pins = new Map<string, Map<string, Pin>>(records.map(({ name }) => [name, new Map()]))
  for (const row of pinRows) pins.get(row.upstream)?.set(row.tool, readPin(row, addresses.get(row.upstream) ?? []))
  const classified = await database.query.selectFrom('classifications').selectAll().execute()
  const classifications = readClassifications(classified)
  return { records: new Map(records.map((record) => [record.name, record])), pins, classifications }
}

/** @param onChange called with what was known before, after a reading replaced it */
export function createRegistry(database: Database, onChange: (before: Register, after: Register) => void): Registry {
  const empty: Register = { records: new Map(), pins: new Map(), classifications: new Map() }
  return keepCurrent(database, { empty, load: () => load(database), onChange })
}
