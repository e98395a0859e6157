/**
 * What did an exchange cost, and how did it end? Counted once, when it is over, for whoever watches the gateway.
 * Stops: arguments, results, tokens and addresses of resources reaching metrics and traces: none is looked at.
 * Trusts: what the guards learned; of a stranger nothing, not even the trace it claims to belong to.
 * Fails: open, and alone: what cannot be counted is not counted, and the exchange is as if nobody watched.
 * @see docs/decisions/0015-metrics-are-counted-by-hand.md
 */
import { type Log, type Meter, monotonicMs, randomHex, type Tracer } from '#platform/telemetry'
import type { Knock } from '../arrival.ts'
import type { Pins } from '../guards/match-pinned-tool.ts'
import type { End, Learned } from './describe-end.ts'
import { finishSpans } from './finish-spans.ts'
import { gatewayRefusals } from '../refusals.ts'
import { createSeries, type Series } from './series.ts'
import { createTroubleTeller } from './tell-trouble.ts'
import { callersPlace, Trip } from './trip.ts'

export interface Watcher {
  readonly log: Log
  readonly meter: Meter
  readonly tracer: Tracer
}

export interface Measure {
  begin(): Trip
  /** Finds the place in a trace; once the caller is known and the message is read. */
  follow(trip: Trip, known: Pick<Knock, 'headers'> & Learned): void
  /** Counts an exchange that is over. Never throws. */
  ended(trip: Trip, end: End): void
  /** Counts a request that was turned away without becoming an exchange. Never throws. */
  turnedAway(end: End): void
  close(): void
}

const outOfReach: ReadonlySet<unknown> = new Set([
  gatewayRefusals.upstreamUnreachable.code,
  gatewayRefusals.upstreamTimeout.code,
  gatewayRefusals.upstreamUnavailable.code,
  'upstream.unreachable',
  'upstream.timeout',
])

/** @param pins tells which tools are approved: only these are named */
export function createMeasure({ log, meter, tracer }: Watcher, pins: Pins): Measure {
  const seriesOf = createSeries(meter, pins)
  const trouble = createTroubleTeller(log)

  function count(end: End, isAsked: boolean): Series {
    const series = seriesOf(end, isAsked)
    series.decision.add()
    series.attempt?.add()
    series.limited?.add()
    series.up?.set(outOfReach.has(end.refusal?.code ?? end.verdict?.detail['fault']) ? 0 : 1)
    return series
  }

  function record(trip: Trip, series: Series, endedAt: number): void {
    const total = (endedAt - trip.startedAt) / 1000
    if (trip.part !== 'leg') series.server?.record(total)
    if (trip.askedAt === undefined || trip.part === 'gathering') return
    const leg = ((trip.answeredAt ?? endedAt) - trip.askedAt) / 1000
    series.client?.record(leg)
    if (trip.part !== 'leg') series.overhead?.record(Math.max(0, total - leg))
  }

  return {
    begin: () => new Trip(),
    follow(trip, known) {
      const parent = known.principal === undefined ? undefined : callersPlace(known, known.message)
      trip.traceId = parent?.traceId
      if (!tracer.isOn) return
      trip.place = tracer.place(parent)
      trip.traceId = trip.place.traceId
      trip.parentSpanId = parent?.spanId
      trip.upstreamSpanId = randomHex(8)
    },
    ended(trip, end) {
      if (trip.isTold) return
      trip.isTold = true
      const endedAt = monotonicMs()
      try {
        const series = count(end, trip.askedAt !== undefined && trip.part !== 'gathering')
        record(trip, series, endedAt)
        if (tracer.isOn) finishSpans(tracer, trip, { ...end, words: series.words, endedAt })
        trouble.tell(end, series.words.server, trip.traceId)
      } catch (thrown) {
        log.error('telemetry.broken', 'an exchange could not be counted', { error: thrown })
      }
    },
    turnedAway(end) {
      try {
        count(end, false)
        trouble.tell(end, '', undefined)
      } catch (thrown) {
        log.error('telemetry.broken', 'a request could not be counted', { error: thrown })
      }
    },
    close: () => trouble.close(),
  }
}
