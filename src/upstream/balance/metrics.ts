/**
 * What is counted about the ways to upstreams?
 *
 * Stops: labels that a caller can make up: upstreams and endpoints are what administrators added.
 * Trusts: the balance for what it says of its endpoints, and whoever keeps sessions for how many there are.
 * Fails: nothing here can fail.
 */
import { defineMetric, type Meter } from '#platform/telemetry'
import type { EndpointState } from './balance.ts'

const labels = ['server', 'endpoint'] as const

export const endpointHealthy = defineMetric({
  name: 'castellan.endpoint_healthy',
  kind: 'gauge',
  unit: '1',
  says: '1 while an endpoint answers its health checks, 0 when it missed two in a row',
  labels,
  openLabels: labels,
})

export const breakerOpen = defineMetric({
  name: 'castellan.breaker_open',
  kind: 'gauge',
  unit: '1',
  says: '1 while the breaker of an endpoint is open and it is not asked',
  labels,
  openLabels: labels,
})

export const endpointCalls = defineMetric({
  name: 'castellan.endpoint_calls',
  kind: 'gauge',
  unit: '1',
  says: 'calls that are under way at an endpoint or wait for a connection to it',
  labels,
  openLabels: labels,
})

export const breakerChanges = defineMetric({
  name: 'castellan.breaker_changes',
  kind: 'counter',
  unit: '1',
  says: 'how often the breaker of an endpoint opened and closed',
  labels: ['to', 'server', 'endpoint'],
  openLabels: labels,
})

export const upstreamRepeats = defineMetric({
  name: 'castellan.upstream_repeats',
  kind: 'counter',
  unit: '1',
  says: 'exchanges that failed before anything happened and were sent once more',
  labels: ['server'],
  openLabels: ['server'],
})

export const upstreamSessions = defineMetric({
  name: 'castellan.upstream_sessions',
  kind: 'gauge',
  unit: '1',
  says: 'sessions that are kept between requests: pooled for modern clients, as a face of modern servers, with children and on event channels',
  labels: ['kind'],
})

/** Where metrics are counted. */
export type BalanceMeter = Pick<Meter, 'counter' | 'observe'>

/** Tells how every endpoint is whenever somebody reads the metrics. */
export function observeEndpoints(meter: BalanceMeter, states: () => EndpointState[]): void {
  const look = (value: (state: EndpointState) => number) => () =>
    states().map((state) => [{ server: state.upstream, endpoint: state.endpoint.id }, value(state)] as const)
  meter.observe(
    endpointHealthy,
    look((state) => Number(state.isHealthy)),
  )
  meter.observe(
    breakerOpen,
    look((state) => Number(state.isOpen)),
  )
  meter.observe(
    endpointCalls,
    look((state) => state.inFlight),
  )
}

/** What keeps sessions. */
export type SessionCounts = Readonly<Record<'pooled' | 'face' | 'child' | 'event-channel', number>>

/** Tells how many sessions are kept whenever somebody reads the metrics. */
export function observeSessions(meter: BalanceMeter, counts: () => SessionCounts): void {
  meter.observe(upstreamSessions, () => Object.entries(counts()).map(([kind, count]) => [{ kind }, count] as const))
}
