/**
 * What of the data plane belongs into the log?
 * Stops: a flood of requests becoming a flood of lines: refusals are summed up by the minute, troubles told at intervals.
 * Trusts: the log to redact.
 * Fails: never; a line that is not written costs nothing else.
 */
import type { Log } from '#platform/telemetry'
import type { End } from './describe-end.ts'
import { gatewayRefusals } from '../refusals.ts'

const minuteMs = 60_000
const mostFaultsAMinute = 10

const upstreamTroubles: ReadonlySet<string> = new Set([
  gatewayRefusals.upstreamUnreachable.code,
  gatewayRefusals.upstreamUnavailable.code,
  gatewayRefusals.upstreamOverloaded.code,
  gatewayRefusals.upstreamBusy.code,
  gatewayRefusals.upstreamTimeout.code,
  gatewayRefusals.upstreamMisbehaved.code,
])

const ownTroubles: ReadonlySet<string> = new Set([gatewayRefusals.fault.code, gatewayRefusals.databaseUnavailable.code])

interface Ids {
  readonly request_id: string
  readonly trace_id: string | undefined
}

export interface TroubleTeller {
  /** Called for each exchange that ended. @param server registered, or empty */
  tell(end: End, server: string, traceId: string | undefined): void
  close(): void
}

export function createTroubleTeller(log: Log): TroubleTeller {
  const refused = new Map<string, number>()
  const troubled = new Map<string, number>()
  let faults = 0

  function sumUp(): void {
    if (refused.size > 0) {
      const codes = Object.fromEntries(refused)
      const count = Object.values(codes).reduce((sum, one) => sum + one, 0)
      log.info('exchanges.refused', 'exchanges were refused in the last minute', { count, codes })
    }
    for (const [server, count] of troubled) {
      if (count > 1) log.warn('upstream.troubled', 'an upstream failed again in the last minute', { server, count })
    }
    refused.clear()
    troubled.clear()
    faults = 0
  }

  function tellUpstream(fault: unknown, server: string, ids: Ids): void {
    const count = (troubled.get(server) ?? 0) + 1
    troubled.set(server, count)
    // WHY: why it failed is in the ledger; an upstream's own words do not come into the log.
    if (count === 1) log.warn('upstream.failed', 'an upstream did not answer as it must', { ...ids, server, fault })
  }

  const timer = setInterval(sumUp, minuteMs).unref()
  return {
    tell(end, server, traceId) {
      const { refusal, known, guard, verdict } = end
      const fault = verdict?.detail['fault']
      if (refusal === undefined && fault === undefined) return
      const ids = { request_id: known.exchangeId, trace_id: traceId }
      if (fault !== undefined) tellUpstream(fault, server, ids)
      if (refusal === undefined) return
      const { code, detail } = refusal
      refused.set(code, (refused.get(code) ?? 0) + 1)
      if (upstreamTroubles.has(code)) tellUpstream(detail['fault'], server, ids)
      if (ownTroubles.has(code)) {
        faults += 1
        if (faults > mostFaultsAMinute) return
        log.error('exchange.broken', 'something broke while an exchange was judged; it was refused', {
          ...ids,
          guard,
          cause: detail['cause'],
        })
      }
      if (log.isOn('debug')) log.debug('exchange.refused', 'an exchange was refused', { ...ids, code, guard, server })
    },
    close() {
      clearInterval(timer)
      sumUp()
    },
  }
}
