/**
 * Which upstreams are there?
 *
 * Stops: commands and URLs that no admin added; approvals that outlive the upstream they were given for.
 * Trusts: the caller to have decided that `by` may do this.
 * Fails: with a Refusal, or a Fault of the database or ledger; then nothing has changed.
 */
import { refuse, type Clock, type Principal, type Refusal } from '#kernel'
import type { Ledger } from '#audit'
import { isDuplicate, type Database } from '#platform/database'
import { endpointRow, newEndpoint } from './balance/endpoint-store.ts'
import { checkRecord, type UpstreamDraft } from './check-record.ts'
import { upstreamEvents } from './events.ts'
import { upstreamRefusals } from './refusals.ts'
import { nameRoomRefusal } from './shared-names.ts'
import type { Registry } from './register.ts'
import type { UpstreamRecord } from './transports/transport.ts'

export interface AddUpstream extends UpstreamDraft {
  readonly isDemo?: boolean
  /** Absent when Castellan itself adds its demo. */
  readonly by?: Principal | undefined
}

export interface Catalog {
  /** Call once per exchange before `find`; also before `list`. */
  refresh(): void | Promise<void>
  find(name: string): UpstreamRecord | undefined
  list(): UpstreamRecord[]
  add(draft: AddUpstream): Promise<UpstreamRecord | Refusal>
  /** Ends its children and connections, and forgets every approval of its tools. */
  remove(name: string, by: Principal): Promise<UpstreamRecord | Refusal>
}

export interface CatalogNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly registry: Registry
}

function recordOf(draft: AddUpstream): UpstreamRecord {
  const endpoint = draft.url === undefined ? undefined : newEndpoint({ url: draft.url })
  return {
    name: draft.name,
    transport: draft.url === undefined ? 'stdio' : 'http',
    ...(draft.command === undefined ? {} : { command: [...draft.command] }),
    ...(endpoint === undefined ? {} : { url: endpoint.url, endpoints: [endpoint] }),
    environment: { ...draft.environment },
    isDemo: draft.isDemo ?? false,
  }
}

/** What the ledger keeps of a record: not the values of the environment and not the query of the URL. */
function describe(record: UpstreamRecord): Record<string, unknown> {
  const { environment, url, endpoints: _endpoints, ...rest } = record
  return { ...rest, ...(url === undefined ? {} : { url: url.split('?', 1)[0] }), environment: Object.keys(environment) }
}

/** WHY: another upstream that gets the name later inherits nothing. */
const dependents = ['upstream_endpoints', 'tool_pins', 'bundle_members', 'classifications'] as const

export function createCatalog({ database, ledger, clock, registry }: CatalogNeeds): Catalog {
  async function add(draft: AddUpstream): Promise<UpstreamRecord | Refusal> {
    const refused = checkRecord(draft) ?? nameRoomRefusal(draft.name)
    if (refused !== undefined) return refused
    const record = recordOf(draft)
    const row = {
      name: record.name,
      transport: record.transport,
      command: record.command === undefined ? null : JSON.stringify(record.command),
      environment: JSON.stringify(record.environment),
      created_at: clock.now(),
      created_by: draft.by?.id ?? null,
      is_demo: record.isDemo ? (1 as const) : (0 as const),
    }
    const target = { upstream: record.name, kind: 'server' as const }
    const principal = draft.by === undefined ? {} : { principal: draft.by }
    try {
      await database.transaction(async (transaction) => {
        await transaction.insertInto('upstreams').values(row).execute()
        for (const endpoint of record.endpoints ?? [])
          await transaction
            .insertInto('upstream_endpoints')
            .values(endpointRow(record.name, endpoint, row))
            .execute()
        // INVARIANT: the change is committed only after the ledger has it.
        const details = describe(record)
        await ledger.append(upstreamEvents.added, { target, outcome: 'succeeded', details, ...principal })
      })
    } catch (error) {
      if (isDuplicate(error)) return refuse(upstreamRefusals.nameTaken, { names: { name: draft.name } })
      throw error
    }
    await registry.refresh()
    return record
  }

  async function remove(name: string, by: Principal): Promise<UpstreamRecord | Refusal> {
    await registry.refresh()
    const record = registry.current.records.get(name)
    const removed = await database.transaction(async (transaction) => {
      const result = await transaction.deleteFrom('upstreams').where('name', '=', name).executeTakeFirst()
      if (result.numDeletedRows === 0n) return false
      for (const table of dependents) await transaction.deleteFrom(table).where('upstream', '=', name).execute()
      const target = { upstream: name, kind: 'server' as const }
      await ledger.append(upstreamEvents.removed, { target, outcome: 'succeeded', principal: by })
      return true
    })
    if (!removed || record === undefined) return refuse(upstreamRefusals.unknown, { names: { name } })
    await registry.refresh()
    return record
  }

  return {
    refresh: () => registry.refresh(),
    find: (name) => registry.current.records.get(name),
    list: () => [...registry.current.records.values()],
    add,
    remove,
  }
}
