/**
 * What does a trace tell of an exchange? One span as its server, one below as the client of its upstream.
 * Stops: a stranger's flood filling the queue of spans: only those of people are made, and when they are over.
 * Trusts: the words that describe the end; nothing else of the exchange is told.
 * Fails: open: a span that cannot be sent is lost.
 * @see OpenTelemetry semantic conventions for MCP, spans
 */
import { randomHex, type SpanAttributes, type Tracer } from '#platform/telemetry'
import { type End, type EndWords, errorTypeOf, fullToolName } from './describe-end.ts'
import { operationLabels } from './series.ts'
import type { Trip } from './trip.ts'

function spanAttributes(words: EndWords, side: 'server' | 'client', exchangeId: string): SpanAttributes {
  const told = Object.entries(operationLabels(words, side)).filter(([, value]) => value !== '')
  return {
    ...Object.fromEntries(told),
    'castellan.exchange': exchangeId,
    ...(words.server === '' ? {} : { 'castellan.server': words.server }),
    ...(words.refusal === '' ? {} : { 'castellan.refusal': words.refusal }),
  }
}

export function finishSpans(
  tracer: Tracer,
  trip: Trip,
  { known, words, endedAt }: End & { words: EndWords; endedAt: number },
) {
  const { place } = trip
  if (place?.isSampled !== true || known.principal === undefined || words.method === '') return
  const { traceId, spanId } = place
  const { exchangeId: id } = known
  const name = `${words.method} ${fullToolName(words)}`.trim()
  const isError = (side: 'server' | 'client'): boolean => errorTypeOf(words, side) !== ''
  if (trip.askedAt !== undefined) {
    tracer.finish({
      name,
      kind: 'client',
      traceId,
      spanId: trip.upstreamSpanId ?? randomHex(8),
      parentSpanId: spanId,
      startMs: trip.askedAt,
      endMs: trip.answeredAt ?? endedAt,
      attributes: spanAttributes(words, 'client', id),
      isError: isError('client'),
    })
  }
  tracer.finish({
    name,
    kind: 'server',
    traceId,
    spanId,
    parentSpanId: trip.parentSpanId,
    startMs: trip.startedAt,
    endMs: endedAt,
    attributes: spanAttributes(words, 'server', id),
    isError: isError('server'),
  })
}
