/**
 * At which addresses does an upstream answer?
 *
 * Stops: addresses that no admin added; an upstream without any; more of them than are watched.
 * Trusts: the caller to have decided that `by` may do this.
 * Fails: with a Refusal, or a Fault of the database or ledger; then nothing has changed.
 */
import { randomInt } from 'node:crypto'
import type { Insertable, Selectable } from 'kysely'
import { refuse, type Clock, type Principal, type Refusal } from '#kernel'
import type { EventDefinition, Ledger } from '#audit'
import type { Database, Tables } from '#platform/database'
import { urlProblem } from '../check-record.ts'
import { upstreamEvents } from '../events.ts'
import { upstreamRefusals } from '../refusals.ts'
import type { Registry } from '../register.ts'
import type { UpstreamEndpoint } from '../transports/transport.ts'

/** Each of them is asked every half minute, and each choice looks at all of them. */
const maxEndpoints = 16
const maxWeight = 100

const idLetters = 'abcdefghijklmnopqrstuvwxyz0123456789'
const idLength = 8

/** What an admin asks for. */
export interface EndpointDraft {
  readonly url: string
  /** 1 to 100; 1 unless given. */
  readonly weight?: number | undefined
  readonly region?: string | undefined
}

export interface EndpointStore {
  /** @returns the endpoint as it was added */
  add(upstream: string, draft: EndpointDraft & { readonly by: Principal }): Promise<UpstreamEndpoint | Refusal>
  /** Calls under way at it end by themselves; its sessions and streams are over. */
  remove(upstream: string, id: string, by: Principal): Promise<UpstreamEndpoint | Refusal>
}

/** An endpoint of this draft, with an id of its own. */
export function newEndpoint({ url, weight = 1, region }: EndpointDraft): UpstreamEndpoint {
  const id = Array.from({ length: idLength }, () => idLetters.charAt(randomInt(idLetters.length))).join('')
  return { id, url: new URL(url).href, weight, ...(region === undefined ? {} : { region }) }
}

/** An endpoint as a row of its table. */
export function endpointRow(
  upstream: string,
  { id, url, weight, region = null }: Omit<UpstreamEndpoint, 'region'> & { readonly region?: string | null },
  made: { readonly created_at: number; readonly created_by: string | null },
): Insertable<Tables['upstream_endpoints']> {
  return { upstream, id, url, weight, region, created_at: made.created_at, created_by: made.created_by }
}

/** A row of its table as an endpoint. */
export function readEndpoint(row: Selectable<Tables['upstream_endpoints']>): UpstreamEndpoint {
  const { id, url, weight, region } = row
  return { id, url, weight: Number(weight), ...(region === null ? {} : { region }) }
}

/** What the ledger keeps of an endpoint: not the query of its URL, which may hold a credential. */
export function describeEndpoint({ id, url, weight, region }: UpstreamEndpoint): Record<string, unknown> {
  return { endpoint: id, url: url.split('?', 1)[0], weight, ...(region === undefined ? {} : { region }) }
}

/** The form in which regions are named, in the configuration too. */
const regionPattern = /^[a-z0-9][a-z0-9-]{0,31}$/

function draftProblem({ url, weight = 1, region }: EndpointDraft): Refusal | undefined {
  const wrongUrl = urlProblem(url)
  if (wrongUrl !== undefined) return refuse(upstreamRefusals.urlInvalid, { names: { problem: wrongUrl } })
  const isWeight = Number.isInteger(weight) && weight >= 1 && weight <= maxWeight
  if (!isWeight) return refuse(upstreamRefusals.weightInvalid)
  if (region === undefined || regionPattern.test(region)) return undefined
  return refuse(upstreamRefusals.regionInvalid, { names: { region } })
}

type Change = Parameters<Parameters<Database['transaction']>[0]>[0]

interface Told {
  readonly by: Principal
  readonly endpoint: UpstreamEndpoint
}

export interface StoreNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly registry: Registry
}

/** All endpoints of an upstream, as they are within a change that is being made. */
async function endpointsIn(transaction: Change, upstream: string): Promise<UpstreamEndpoint[]> {
  const rows = transaction.selectFrom('upstream_endpoints').selectAll().where('upstream', '=', upstream)
  return (await rows.execute()).map(readEndpoint)
}

export function createEndpointStore({ database, ledger, clock, registry }: StoreNeeds): EndpointStore {
  /** Makes a change at an upstream that has endpoints; all or nothing. */
  async function change(
    name: string,
    make: (transaction: Change) => Promise<UpstreamEndpoint | Refusal>,
  ): Promise<UpstreamEndpoint | Refusal> {
    await registry.refresh()
    const record = registry.current.records.get(name)
    if (record === undefined) return refuse(upstreamRefusals.unknown, { names: { name } })
    if (record.transport !== 'http') return refuse(upstreamRefusals.endpointOfCommand, { names: { name } })
    const made = await database.transaction(make)
    await registry.refresh()
    return made
  }

  /** INVARIANT: a change is committed only after the ledger has it. */
  async function tell(event: EventDefinition, upstream: string, { by, endpoint }: Told): Promise<void> {
    const target = { upstream, kind: 'server' as const }
    await ledger.append(event, { target, outcome: 'succeeded', details: describeEndpoint(endpoint), principal: by })
  }

  return {
    async add(upstream, draft) {
      const refused = draftProblem(draft)
      if (refused !== undefined) return refused
      return change(upstream, async (transaction) => {
        const endpoint = newEndpoint(draft)
        const known = await endpointsIn(transaction, upstream)
        const names = { name: upstream }
        if (known.length === 0) return refuse(upstreamRefusals.unknown, { names })
        if (known.length >= maxEndpoints) return refuse(upstreamRefusals.endpointsFull, { names })
        if (known.some(({ url }) => url === endpoint.url)) return refuse(upstreamRefusals.endpointTaken)
        const row = endpointRow(upstream, endpoint, { created_at: clock.now(), created_by: draft.by.id })
        await transaction.insertInto('upstream_endpoints').values(row).execute()
        await tell(upstreamEvents.endpointAdded, upstream, { by: draft.by, endpoint })
        return endpoint
      })
    },
    remove: (upstream, id, by) =>
      change(upstream, async (transaction) => {
        const known = await endpointsIn(transaction, upstream)
        const endpoint = known.find((one) => one.id === id)
        if (endpoint === undefined) return refuse(upstreamRefusals.endpointUnknown, { names: { id } })
        if (known.length === 1) return refuse(upstreamRefusals.endpointLast)
        const rows = transaction.deleteFrom('upstream_endpoints').where('upstream', '=', upstream)
        await rows.where('id', '=', id).execute()
        await tell(upstreamEvents.endpointRemoved, upstream, { by, endpoint })
        return endpoint
      }),
  }
}
