/**
 * What is noted of one exchange on its way: when it set out, when its upstream was asked and had answered, whose trace.
 * Stops: a clock read in two places disagreeing about one exchange.
 * Trusts: a caller's trace only once the caller is known.
 * Fails: what was not noted is not told.
 */
import { isObject, type Message } from '#protocol'
import { monotonicMs, readTraceParent, type TraceParent, writeTraceParent } from '#platform/telemetry'
import { headerOf, type Knock } from '../arrival.ts'

export class Trip {
  readonly startedAt = monotonicMs()
  askedAt: number | undefined
  answeredAt: number | undefined
  /** Whether this was told already: an exchange is counted once. */
  isTold = false
  /** A request to several servers is timed as one from the client's side, and by its legs from that of the servers. */
  part: 'whole' | 'gathering' | 'leg' = 'whole'
  /** Our place in the trace; undefined when nothing is traced. */
  place: TraceParent | undefined
  /** The caller's span. */
  parentSpanId: string | undefined
  /** Of the span of the upstream's leg. */
  upstreamSpanId: string | undefined
  /** For the ledger: the caller's trace, or ours. */
  traceId: string | undefined

  asked(): void {
    this.askedAt = monotonicMs()
  }

  answered(): void {
    this.answeredAt ??= monotonicMs()
  }

  /** The header that places the upstream's work under ours; undefined when nothing is traced. */
  onward(): string | undefined {
    const { place, upstreamSpanId } = this
    if (place === undefined || upstreamSpanId === undefined) return undefined
    return writeTraceParent({ ...place, spanId: upstreamSpanId })
  }
}

export interface Travelled {
  readonly trip: Trip
}

/** The caller's place in a trace: in the message, or else in the header. SPEC: MCP, `_meta` and trace context. */
export function callersPlace(
  { headers }: Pick<Knock, 'headers'>,
  message: Message | undefined,
): TraceParent | undefined {
  const meta = message?.params?.['_meta']
  const inMessage = isObject(meta) ? readTraceParent(meta['traceparent']) : undefined
  return inMessage ?? readTraceParent(headerOf(headers, 'traceparent'))
}

/** What an entry of the ledger says of the trace. */
export function traceDetail({ traceId }: Trip): { trace?: string } {
  return traceId === undefined ? {} : { trace: traceId }
}
