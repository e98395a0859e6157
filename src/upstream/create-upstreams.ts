/**
 * The upstream room: which MCP servers there are, which of their tools were approved, and how to reach them.
 *
 * Stops: reaching a server that no admin added; children and connections that outlive their upstream.
 * Trusts: the gateway to have authenticated, decided and recorded before it calls `exchange`.
 * Fails: with Refusals towards people, with Faults towards the gateway.
 */
import { Fault, isRefusal, refuse, type Clock, type Principal, type Refusal } from '#kernel'
import type { Ledger } from '#audit'
import type { Database } from '#platform/database'
import { createCatalog, type Catalog } from './catalog.ts'
import type { Pin } from './definition.ts'
import { upstreamEvents } from './events.ts'
import { createPins, type PinStore } from './pins.ts'
import { upstreamRefusals } from './refusals.ts'
import { createRegistry, type Register } from './register.ts'
import { listAllTools } from './survey.ts'
import { createStdio, type ChildNews } from './transports/stdio/stdio.ts'
import { createStreamableHttp } from './transports/streamable-http/streamable-http.ts'
import {
  defaultLimits,
  type Transport,
  type UpstreamAnswer,
  type UpstreamLimits,
  type UpstreamRecord,
  type UpstreamRequest,
} from './transports/transport.ts'

export interface UpstreamSettings {
  /** Children run in folders below this one; made when needed. */
  readonly workFolder: string
  readonly limits?: Partial<UpstreamLimits>
  /** For one review, the start of a process included. */
  readonly reviewTimeoutMs?: number
}

export interface Pins extends PinStore {
  /**
   * Asks the upstream for all its tools and records what it offers.
   * @returns every pin of the upstream, or why it could not be asked
   */
  review(upstream: string, by?: Principal): Promise<Pin[] | Refusal>
}

export interface Upstreams {
  readonly catalog: Catalog
  readonly pins: Pins
  /** @throws Fault `upstream.unreachable`, `upstream.timeout`, `upstream.misbehaved`, `upstream.cancelled` (by the request's own signal), `upstream.duplicate-id` */
  exchange(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** Ends every child with its process tree, and every connection. */
  close(): Promise<void>
}

export interface UpstreamNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly settings: UpstreamSettings
}

/** A process that starts may take as long as a package download. */
const defaultReviewTimeoutMs = 60_000

function refusalOf(error: unknown, name: string): Refusal {
  const code = error instanceof Fault ? error.code : ''
  const options = { names: { name }, detail: { fault: code, says: error instanceof Error ? error.message : '' } }
  if (code === 'upstream.timeout') return refuse(upstreamRefusals.reviewTimeout, options)
  if (code === 'upstream.misbehaved') return refuse(upstreamRefusals.reviewMisbehaved, options)
  if (code === 'upstream.credentials-refused') return refuse(upstreamRefusals.credentialsRefused, options)
  if (code === 'upstream.unreachable') return refuse(upstreamRefusals.unreachable, options)
  throw error
}

/** Records the start and end of children. What cannot be recorded is not retried: the call it served has its own entry. */
function recordChild(ledger: Ledger, { upstream, ownerId, pid, end }: ChildNews): void {
  const target = { upstream, kind: 'server' as const }
  const details = { ownerId, pid: pid ?? null }
  const entry =
    end === undefined
      ? ledger.append(upstreamEvents.childStarted, { target, outcome: 'succeeded', details })
      : ledger.append(upstreamEvents.childEnded, {
          target,
          outcome: 'succeeded',
          details: {
            ...details,
            says: end.fault.message,
            exitCode: end.exitCode,
            signal: end.signal,
            error: end.errorTail,
          },
        })
  entry.catch(() => undefined)
}

function createTransports({ ledger, clock, settings }: UpstreamNeeds): Record<UpstreamRecord['transport'], Transport> {
  const limits = { ...defaultLimits, ...settings.limits }
  const onNews = (news: ChildNews) => recordChild(ledger, news)
  return {
    http: createStreamableHttp({ limits }),
    stdio: createStdio({ clock, limits, workFolder: settings.workFolder, onNews }),
  }
}

function changedNames(before: Register, after: Register): string[] {
  return [...before.records.values()]
    .filter((record) => JSON.stringify(record) !== JSON.stringify(after.records.get(record.name)))
    .map((record) => record.name)
}

/** @throws nothing; children are started and connections opened when they are first needed */
export function createUpstreams(needs: UpstreamNeeds): Upstreams {
  const { database, ledger, clock, settings } = needs
  const transports = createTransports(needs)
  const all = Object.values(transports)
  const registry = createRegistry(database, (before, after) => {
    for (const name of changedNames(before, after)) for (const transport of all) void transport.forget(name)
  })
  const catalog = createCatalog({ database, ledger, clock, registry })
  const store = createPins({ database, ledger, clock, registry })
  const exchange = (request: UpstreamRequest) => transports[request.upstream.transport].exchange(request)

  async function survey(upstream: UpstreamRecord): Promise<unknown[] | Refusal> {
    const timeoutMs = settings.reviewTimeoutMs ?? defaultReviewTimeoutMs
    try {
      return await listAllTools({ upstream, exchange, timeoutMs })
    } catch (error) {
      return refusalOf(error, upstream.name)
    }
  }

  async function review(name: string, by?: Principal): Promise<Pin[] | Refusal> {
    await registry.refresh()
    const upstream = registry.current.records.get(name)
    if (upstream === undefined) return refuse(upstreamRefusals.unknown, { names: { name } })
    const tools = await survey(upstream)
    const target = { upstream: name, kind: 'server' as const }
    const principal = by === undefined ? {} : { principal: by }
    if (isRefusal(tools)) {
      const refused = { outcome: 'failed' as const, refusal: tools.code, details: { ...tools.detail } }
      await ledger.append(upstreamEvents.reviewed, { target, ...refused, ...principal })
      return tools
    }
    await store.observe(name, tools)
    const details = { tools: tools.length }
    await ledger.append(upstreamEvents.reviewed, { target, outcome: 'succeeded', details, ...principal })
    return store.list(name)
  }

  return {
    catalog,
    pins: { ...store, review },
    exchange,
    close: async () => {
      await Promise.all(all.map((transport) => transport.close()))
    },
  }
}
