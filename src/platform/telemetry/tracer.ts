import { isInShare, randomHex, type TraceParent } from './trace-context.ts'

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** Something that took time, told when it is over. Times are milliseconds of `monotonicMs`. */
export interface FinishedSpan {
  /** Few different ones: never with anything a caller made up. */
  readonly name: string
  readonly kind: 'server' | 'client'
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string | undefined
  readonly startMs: number
  readonly endMs: number
  readonly attributes: SpanAttributes
  readonly isError: boolean
}

/** Decides which traces are kept, and takes spans that are over. */
export interface Tracer {
  /** False when spans go nowhere; then nobody makes one. */
  readonly isOn: boolean
  /**
   * Our place in the caller's trace, or in a new one.
   * @param parent of a caller who is known; a stranger's is not followed
   */
  place(parent: TraceParent | undefined): TraceParent
  finish(span: FinishedSpan): void
}

/** Milliseconds that only go forward, for measuring how long something took. */
export function monotonicMs(): number {
  return performance.now()
}

/** @param take undefined: nothing is traced */
export function createTracer(percent: number, take: ((span: FinishedSpan) => void) | undefined): Tracer {
  return {
    isOn: take !== undefined,
    place(parent) {
      const traceId = parent?.traceId ?? randomHex(16)
      // INVARIANT: a caller can ask not to be traced; nobody can ask to be traced beyond the share.
      const isSampled = (parent?.isSampled ?? true) && isInShare(traceId, percent)
      return { traceId, spanId: randomHex(8), isSampled }
    },
    finish: (span) => take?.(span),
  }
}
