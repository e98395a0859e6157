/**
 * The upstream room: which MCP servers there are, which of their tools were approved, and how to reach them.
 *
 * Stops: reaching a server that no admin added; children and connections that outlive their upstream.
 * Trusts: the gateway to have authenticated, decided and recorded before it calls `exchange`.
 * Fails: with Refusals towards people, with Faults towards the gateway.
 */
import { Fault, isRefusal, refuse, type Clock, type Principal, type Refusal, type Sealer } from '#kernel'
import type { Ledger } from '#audit'
import type { Database } from '#platform/database'
import { type Bundles, createBundles } from './bundles.ts'
import type { Balance } from './balance/balance.ts'
import { createEndpoints, type Endpoints } from './balance/endpoints.ts'
import { type BalanceMeter, observeSessions } from './balance/metrics.ts'
import { openBalance } from './balance/open-balance.ts'
import { type BalanceSettings, defaultBalance } from './balance/settings.ts'
import { type Bridge, type BridgeNeeds, createBridge } from './bridge/bridge.ts'
import type { RefusedQuestion } from './bridge/modern-face.ts'
import { createCatalog, type Catalog } from './catalog.ts'
import { type Classifications, createClassifications } from './classify/classifications.ts'
import { upstreamEvents } from './events.ts'
import { createPins, type PinStore } from './pins.ts'
import type { SeenTool } from './pins/describe.ts'
import { upstreamRefusals } from './refusals.ts'
import { createRegistry, type Register } from './register.ts'
import { listAllTools, surveyor } from './survey.ts'
import { createHttpSse } from './transports/http-sse/http-sse.ts'
import { createStdio, type ChildNews } from './transports/stdio/stdio.ts'
import {
  defaultLimits,
  type SessionTransport,
  type UpstreamAnswer,
  type UpstreamLimits,
  type UpstreamRecord,
  type UpstreamRequest,
} from './transports/transport.ts'

export interface UpstreamSettings {
  /** Children run in folders below this one; made when needed. */
  readonly workFolder: string
  readonly limits?: Partial<UpstreamLimits>
  /** How endpoints are chosen and watched, as configured at this moment. */
  readonly balance?: { readonly current: BalanceSettings }
  /** Of sessions that modern clients share, and of calls that wait for answers. */
  readonly bridge?: BridgeNeeds['limits']
  /** For one review, the start of a process included. */
  readonly reviewTimeoutMs?: number
}

export interface Pins extends PinStore {
  /**
   * Asks the upstream for all its tools and records what it offers.
   * @returns every tool that was seen at the upstream, or why it could not be asked
   */
  review(upstream: string, by?: Principal): Promise<SeenTool[] | Refusal>
}

export interface Upstreams {
  readonly catalog: Catalog
  readonly endpoints: Endpoints
  readonly pins: Pins
  readonly classifications: Classifications
  readonly bundles: Bundles
  /** @throws Fault `upstream.unreachable`, `upstream.timeout`, `upstream.misbehaved`, `upstream.cancelled` (by the request's own signal), `upstream.duplicate-id` */
  exchange(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** Ends every child with its process tree, and every connection. */
  close(): Promise<void>
}

export interface UpstreamNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  /** Seals what a client brings back: the state of a call that waits for its answers. */
  readonly sealer: Sealer
  /** Names this process among those that share the database. */
  readonly node: string
  readonly settings: UpstreamSettings
  /** Nothing is counted without. */
  readonly meter?: BalanceMeter
}

/** A process that starts may take as long as a package download. */
const defaultReviewTimeoutMs = 60_000

const outOfReach = new Set(['upstream.unreachable', 'upstream.unavailable', 'upstream.overloaded'])

function refusalOf(error: unknown, name: string): Refusal {
  const code = error instanceof Fault ? error.code : ''
  const options = { names: { name }, detail: { fault: code, says: error instanceof Error ? error.message : '' } }
  if (code === 'upstream.timeout') return refuse(upstreamRefusals.reviewTimeout, options)
  if (code === 'upstream.misbehaved') return refuse(upstreamRefusals.reviewMisbehaved, options)
  if (code === 'upstream.credentials-refused') return refuse(upstreamRefusals.credentialsRefused, options)
  if (outOfReach.has(code)) return refuse(upstreamRefusals.unreachable, options)
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

/** A question that was kept from its client is somebody's to look into. */
function refusedTo(ledger: Ledger): (refused: RefusedQuestion) => void {
  return ({ upstream, ownerId, method, problem }) => {
    const target = { upstream, kind: 'server' as const }
    const details = { ownerId, method, problem }
    ledger.append(upstreamEvents.questionRefused, { target, outcome: 'refused', details }).catch(() => undefined)
  }
}

interface Transports {
  /** After which what nobody uses is ended. */
  readonly idleMs: number
  readonly balance: Balance
  readonly by: Record<UpstreamRecord['transport'], SessionTransport>
}

function createTransports({ ledger, clock, settings, meter }: UpstreamNeeds): Transports {
  const live = settings.balance ?? { current: defaultBalance }
  const { idleMs } = live.current
  const limits = { ...defaultLimits, childIdleMs: idleMs, eventChannelIdleMs: idleMs, ...settings.limits }
  const onNews = (news: ChildNews) => recordChild(ledger, news)
  const balance = openBalance({ ledger, meter, clock, limits, settings: live })
  return {
    balance,
    idleMs,
    by: {
      http: createHttpSse({ streamable: balance, clock, limits, settings: live }),
      stdio: createStdio({ clock, limits, settings: live, workFolder: settings.workFolder, onNews }),
    },
  }
}

function countSessions({ meter }: UpstreamNeeds, bridge: Bridge, { stdio, http }: Transports['by']): void {
  if (meter === undefined) return
  observeSessions(meter, () => ({
    ...bridge.sessionCounts(),
    child: stdio.sessionCount(),
    'event-channel': http.sessionCount(),
  }))
}

const placeless = new WeakMap<UpstreamRecord, string>()

/** What a record says but for where the server is. */
function withoutPlaces(record: UpstreamRecord): string {
  const known = placeless.get(record)
  if (known !== undefined) return known
  const { url: _url, endpoints: _endpoints, ...rest } = record
  const text = JSON.stringify(rest)
  placeless.set(record, text)
  return text
}

/** Whether it is another server: one that lost or got an endpoint is the same while it keeps one. */
function isAnother(record: UpstreamRecord, after: UpstreamRecord | undefined): boolean {
  if (after === undefined) return true
  if (withoutPlaces(record) !== withoutPlaces(after)) return true
  const { endpoints = [] } = after
  return (
    record.transport === 'http' && record.endpoints?.some(({ id }) => endpoints.some((one) => one.id === id)) !== true
  )
}

/** INVARIANT: what was removed or changed while a request was on its way is not begun anew for it. */
function isKnown({ records }: Register, record: UpstreamRecord): boolean {
  const known = records.get(record.name)
  return known === record || (known !== undefined && !isAnother(record, known))
}

function changedNames(before: Register, after: Register): string[] {
  return [...before.records.values()]
    .filter((record) => isAnother(record, after.records.get(record.name)))
    .map((record) => record.name)
}

/** @throws nothing; children are started and connections opened when they are first needed */
export function createUpstreams(needs: UpstreamNeeds): Upstreams {
  const { database, ledger, clock, settings } = needs
  const { balance, idleMs, by: transports } = createTransports(needs)
  const direct = (request: UpstreamRequest) => {
    if (!isKnown(registry.current, request.upstream))
      throw new Fault('upstream.unreachable', 'the upstream was removed')
    return transports[request.upstream.transport].exchange(request)
  }
  const limits = { idleMs, ...settings.bridge }
  const bridge = createBridge({ ...needs, exchange: direct, onRefused: refusedTo(ledger), limits })
  countSessions(needs, bridge, transports)
  const all = [bridge, ...Object.values(transports)]
  const registry = createRegistry(database, (before, after) => {
    for (const name of changedNames(before, after)) for (const transport of all) void transport.forget(name)
    balance.keep(after.records.values())
  })
  const kept = { database, ledger, clock, registry }
  const store = createPins(kept)

  async function survey(upstream: UpstreamRecord): Promise<unknown[] | Refusal> {
    const timeoutMs = settings.reviewTimeoutMs ?? defaultReviewTimeoutMs
    try {
      const tools = await listAllTools({ upstream, exchange: direct, timeoutMs })
      await bridge.meet(upstream, surveyor)
      return tools
    } catch (error) {
      return refusalOf(error, upstream.name)
    }
  }

  async function review(name: string, by?: Principal): Promise<SeenTool[] | Refusal> {
    await registry.refresh()
    const upstream = registry.current.records.get(name)
    if (upstream === undefined) return refuse(upstreamRefusals.unknown, { names: { name } })
    const tools = await survey(upstream)
    const target = { upstream: name, kind: 'server' as const }
    const asked = by === undefined ? { target } : { target, principal: by }
    if (isRefusal(tools)) {
      const refused = { outcome: 'failed' as const, refusal: tools.code, details: { ...tools.detail } }
      await ledger.append(upstreamEvents.reviewed, { ...asked, ...refused })
      return tools
    }
    await store.observe(name, tools, { isReview: true })
    await ledger.append(upstreamEvents.reviewed, { ...asked, outcome: 'succeeded', details: { tools: tools.length } })
    return store.describe(name)
  }

  return {
    catalog: createCatalog(kept),
    endpoints: createEndpoints({ ...kept, balance }),
    bundles: createBundles({ database, ledger, clock }),
    pins: { ...store, review },
    classifications: createClassifications(kept),
    exchange: bridge.exchange,
    close: async () => {
      await bridge.close()
      await Promise.all(all.map((transport) => transport.close()))
    },
  }
}
