/**
 * What do the ways to upstreams take from the configuration?
 *
 * Stops: units being mixed: seconds are configured, milliseconds are counted.
 * Trusts: the configuration's schema for each value alone.
 * Fails: nothing here can fail.
 */

/** The sections of the configuration that the ways to upstreams read. */
interface BalanceKeys {
  readonly upstreams: {
    readonly healthSeconds: number
    readonly breakerFailures: number
    readonly breakerOpenSeconds: number
    readonly region?: string | undefined
    readonly connections: number
    readonly waitingCalls: number
    readonly idleSeconds: number
    readonly eventsPerSecond: number
  }
  readonly limits: { readonly streamSeconds: number }
}

export interface BalanceSettings {
  /** Between two health checks of one endpoint. */
  readonly healthMs: number
  /** Failures in a row that open a breaker. */
  readonly breakerFailures: number
  readonly breakerOpenMs: number
  /** Where this gateway is; endpoints there are preferred. */
  readonly region?: string | undefined
  /** Connections for calls to one endpoint. */
  readonly connections: number
  /** Calls that may wait for one of them. */
  readonly waitingCalls: number
  /** After which a session or process that nobody uses is ended; as it was when this process started. */
  readonly idleMs: number
  /** Of one answer or stream; more is held back. */
  readonly eventsPerSecond: number
  /** Of one answer from asking to its end; streams that wait for news have none. */
  readonly answerMs: number
}

/** WHY: the exchange is ended by the gateway at its time; this is for what is asked without one. */
const graceMs = 5_000

export const defaultBalance: BalanceSettings = {
  healthMs: 30_000,
  breakerFailures: 5,
  breakerOpenMs: 60_000,
  connections: 128,
  waitingCalls: 256,
  idleMs: 600_000,
  eventsPerSecond: 1_000,
  answerMs: 3_600_000 + graceMs,
}

/** The settings of one configuration. */
export function balanceSettings({ upstreams, limits }: BalanceKeys): BalanceSettings {
  const { healthSeconds, breakerFailures, breakerOpenSeconds, region, connections, waitingCalls } = upstreams
  return {
    healthMs: healthSeconds * 1_000,
    breakerFailures,
    breakerOpenMs: breakerOpenSeconds * 1_000,
    region,
    connections,
    waitingCalls,
    idleMs: upstreams.idleSeconds * 1_000,
    eventsPerSecond: upstreams.eventsPerSecond,
    answerMs: limits.streamSeconds * 1_000 + graceMs,
  }
}
