/**
 * Which of an upstream's endpoints takes an exchange?
 *
 * Stops: calls that wait for an endpoint that does not answer; a call with an effect being sent twice; one slow upstream
 * from using up what belongs to others.
 * Trusts: the register for which endpoints there are.
 * Fails: with Fault `upstream.unavailable` or `upstream.overloaded` at once, when no endpoint takes the exchange.
 * @see docs/decisions/0026-endpoints-are-judged-by-each-gateway.md
 */
import { Fault, type Clock } from '#kernel'
import { createStreamableHttp } from '../transports/streamable-http/streamable-http.ts'
import type { Failure, Hop } from '../transports/streamable-http/hop.ts'
import {
  emptyAnswer,
  type Transport,
  type UpstreamAnswer,
  type UpstreamEndpoint,
  type UpstreamLimits,
  type UpstreamRecord,
  type UpstreamRequest,
} from '../transports/transport.ts'
import { choose } from './choose.ts'
import { Endpoint, type EndpointNews } from './endpoint.ts'
import { checkHealth, createHealthChecks, type HealthChecks } from './health.ts'
import { isRepeatable, mostRepeats } from './repeats.ts'
import { idAtEndpoint, readSessionId } from './session-ids.ts'
import type { BalanceSettings } from './settings.ts'

export interface BalanceNeeds {
  readonly clock: Clock
  readonly limits: UpstreamLimits
  readonly settings: { readonly current: BalanceSettings }
  readonly onNews?: (news: EndpointNews) => void
  readonly onRepeat?: (upstream: string) => void
}

/** How one endpoint is, as this process sees it. */
export interface EndpointState {
  readonly upstream: string
  readonly endpoint: UpstreamEndpoint
  readonly isHealthy: boolean
  readonly isOpen: boolean
  /** Until it is tried again. */
  readonly waitMs: number
  readonly inFlight: number
}

export interface Balance extends Transport {
  /** From here on these are the upstreams, with these endpoints; what is gone is let go of. */
  keep(records: Iterable<UpstreamRecord>): void
  /** Of all upstreams, or of one. */
  states(upstream?: string): EndpointState[]
  /** Asks every endpoint of an upstream at once whether it is alive. */
  check(upstream: string): Promise<void>
}

/** Set to whoever an exchange was repeated at. */
interface AnsweredBy {
  endpoint: Endpoint
}

/** A hop that is repeated in another way. */
function follow(hop: Hop, repeat: Hop['repeat']): Hop {
  return {
    begun: () => hop.begun(),
    answered: (status) => hop.answered(status),
    failed: (fault) => hop.failed(fault),
    ended: () => hop.ended(),
    repeat,
  }
}

interface Group {
  readonly name: string
  endpoints: readonly Endpoint[]
}

/** One that took the place of another is not let go of, if it has the same id, address, weight and region. */
function isSame(one: UpstreamEndpoint, other: UpstreamEndpoint): boolean {
  return one.id === other.id && one.url === other.url && one.weight === other.weight && one.region === other.region
}

function endpointsOf(record: UpstreamRecord): readonly UpstreamEndpoint[] {
  if (record.endpoints !== undefined) return record.endpoints
  return record.url === undefined ? [] : [{ id: '00000000', url: record.url, weight: 1 }]
}

function refusalOf({ endpoints }: Group): Fault {
  if (endpoints.length === 0) return new Fault('upstream.unreachable', 'the upstream has no endpoint')
  const waits = endpoints.filter((endpoint) => !endpoint.isPassable).map(({ waitMs }) => waitMs)
  if (waits.length < endpoints.length)
    return new Fault('upstream.overloaded', 'as many calls wait as may', { retryAfterSeconds: 1 })
  const retryAfterSeconds = Math.max(1, Math.ceil(Math.min(...waits) / 1_000))
  return new Fault('upstream.unavailable', 'the breaker of every endpoint is open', { retryAfterSeconds })
}

class HttpBalance implements Balance {
  readonly #needs: BalanceNeeds
  readonly #http: ReturnType<typeof createStreamableHttp>
  readonly #groups = new Map<string, Group>()
  readonly #health: HealthChecks<Endpoint>

  constructor(needs: BalanceNeeds) {
    this.#needs = needs
    this.#http = createStreamableHttp(needs)
    this.#health = createHealthChecks(needs.settings, (endpoint) => this.#checkOne(endpoint))
  }

  exchange(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { upstream, sessionId } = request
    const group = this.#groups.get(upstream.name) ?? this.#open(upstream)
    if (sessionId !== undefined) return this.#inSession(group, request, sessionId)
    const [first] = group.endpoints
    const isAlone = group.endpoints.length === 1
    const endpoint = isAlone && first?.isFree === true ? first : choose(group.endpoints, this.#here())
    if (endpoint === undefined) throw refusalOf(group)
    if (request.message?.method === 'initialize') return this.#openSession(group, endpoint, request)
    return this.#send(endpoint, request)
  }

  keep(records: Iterable<UpstreamRecord>): void {
    const kept = new Set<string>()
    for (const record of records) {
      if (record.transport !== 'http') continue
      kept.add(record.name)
      const group = this.#groups.get(record.name)
      if (group === undefined) this.#open(record)
      else this.#change(group, endpointsOf(record))
    }
    for (const name of this.#groups.keys()) if (!kept.has(name)) void this.forget(name)
  }

  states(upstream?: string): EndpointState[] {
    const groups = [...this.#groups.values()].filter(({ name }) => upstream === undefined || name === upstream)
    return groups.flatMap(({ name, endpoints }) =>
      endpoints.map(({ record, isHealthy, isOpen, waitMs, inFlight }) => ({
        upstream: name,
        endpoint: record,
        isHealthy,
        isOpen,
        waitMs,
        inFlight,
      })),
    )
  }

  async check(upstream: string): Promise<void> {
    await Promise.all((this.#groups.get(upstream)?.endpoints ?? []).map((endpoint) => this.#checkOne(endpoint)))
  }

  async forget(upstream: string): Promise<void> {
    const group = this.#groups.get(upstream)
    this.#groups.delete(upstream)
    await Promise.all((group?.endpoints ?? []).map((endpoint) => this.#letGo(endpoint, 'destroy')))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#groups.keys()].map((name) => this.forget(name)))
    this.#health.close()
    this.#http.close()
  }

  #here(): string | undefined {
    return this.#needs.settings.current.region
  }

  #open(upstream: UpstreamRecord): Group {
    const group: Group = { name: upstream.name, endpoints: [] }
    this.#groups.set(upstream.name, group)
    this.#change(group, endpointsOf(upstream))
    return group
  }

  #change(group: Group, records: readonly UpstreamEndpoint[]): void {
    const before = group.endpoints
    const isKept = ({ record }: Endpoint): boolean => records.some((one) => isSame(one, record))
    if (before.length === records.length && before.every(isKept)) return
    group.endpoints = records.map(
      (record) => before.find((one) => isSame(one.record, record)) ?? this.#begin(group, record),
    )
    // WHY: one that is new would be chosen until it has had as many calls as the others in all their time.
    for (const endpoint of group.endpoints) endpoint.chosen = 0
    for (const endpoint of before) if (!group.endpoints.includes(endpoint)) void this.#letGo(endpoint, 'close')
  }

  #begin(group: Group, record: UpstreamEndpoint): Endpoint {
    const { clock, settings, onNews = () => undefined } = this.#needs
    const endpoint: Endpoint = new Endpoint({
      upstream: group.name,
      record,
      place: this.#http.open(record.url),
      clock,
      settings,
      onNews: (news) => {
        for (const one of group.endpoints) one.chosen = 0
        // WHY: whether it is still there is better found out by a check than by the call that tries it.
        if (news.what === 'breakerOpened') this.#health.soon(endpoint)
        onNews(news)
      },
      repeat: (failed, failure) => this.#repeat(group, [failed], failure),
    })
    this.#health.add(endpoint)
    return endpoint
  }

  #letGo(endpoint: Endpoint, how: 'close' | 'destroy'): Promise<void> {
    this.#health.remove(endpoint)
    return endpoint.place[how]()
  }

  async #checkOne(endpoint: Endpoint): Promise<void> {
    const { isAlive, cause } = await checkHealth(endpoint.place)
    endpoint.checked(isAlive, cause)
  }

  #send(endpoint: Endpoint, request: UpstreamRequest): Promise<UpstreamAnswer> {
    endpoint.chosen += 1
    return endpoint.place.exchange(request, endpoint.hop())
  }

  #inSession(group: Group, request: UpstreamRequest, sessionId: string): Promise<UpstreamAnswer> {
    const named = readSessionId(sessionId)
    const [first] = group.endpoints
    const endpoint = named === undefined ? first : group.endpoints.find(({ record }) => record.id === named.endpoint)
    // INVARIANT: a session is known to the endpoint that opened it, and to no other.
    if (endpoint === undefined) return Promise.resolve(emptyAnswer(404, 'session-ended'))
    if (!endpoint.isFree) throw refusalOf({ ...group, endpoints: [endpoint] })
    return this.#send(endpoint, named === undefined ? request : { ...request, sessionId: named.sessionId })
  }

  async #openSession(group: Group, endpoint: Endpoint, request: UpstreamRequest): Promise<UpstreamAnswer> {
    const by: AnsweredBy = { endpoint }
    endpoint.chosen += 1
    const repeat = (failure: Failure) => this.#repeat(group, [endpoint], failure, by)
    const answer = await endpoint.place.exchange(request, follow(endpoint.hop(), repeat))
    if (answer.sessionId === undefined) return answer
    return { ...answer, sessionId: idAtEndpoint(by.endpoint.record.id, answer.sessionId, group.endpoints.length === 1) }
  }

  /** The same exchange at the next endpoint; undefined when it is not safe to repeat, or nobody is left to ask. */
  #repeat(
    group: Group,
    tried: readonly Endpoint[],
    failure: Failure,
    by?: AnsweredBy,
  ): Promise<UpstreamAnswer> | undefined {
    if (tried.length > mostRepeats || !isRepeatable(failure)) return undefined
    const { request, wasSent, elapsedMs } = failure
    const last = tried.at(-1)
    const isBound = request.sessionId !== undefined
    const other = isBound ? undefined : choose(group.endpoints, this.#here(), tried)
    // WHY: a connection that was kept open and was closed meanwhile says nothing against the endpoint itself.
    const same = wasSent && tried.length === 1 && last?.isFree === true ? last : undefined
    const next = other ?? same
    if (next === undefined) return undefined
    this.#needs.onRepeat?.(group.name)
    const repeat = (again: Failure) => this.#repeat(group, [...tried, next], again, by)
    if (by !== undefined) by.endpoint = next
    next.chosen += 1
    const left = { ...request, deadlineMs: request.deadlineMs - elapsedMs }
    return next.place.exchange(left, follow(next.hop(), repeat))
  }
}

/** The ways to upstreams with a URL: at one endpoint or several, chosen and watched by this process. */
export function createBalance(needs: BalanceNeeds): Balance {
  return new HttpBalance(needs)
}
