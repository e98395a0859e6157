import { randomFillSync } from 'node:crypto'

/** Where a span stands in a trace. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  readonly isSampled: boolean
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,64})?$/
const longestChars = 55 + 65
const zeroTrace = '0'.repeat(32)
const zeroSpan = '0'.repeat(16)

/**
 * Reads a `traceparent` as strictly as W3C Trace Context, section 3.2, asks; anything else is as if it were absent.
 * @param given of any type: it may come from a message
 */
export function readTraceParent(given: unknown): TraceParent | undefined {
  if (typeof given !== 'string' || given.length < 55 || given.length > longestChars) return undefined
  const [, version, traceId = zeroTrace, spanId = zeroSpan, flags = '00', more] = form.exec(given) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === zeroTrace || spanId === zeroSpan) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/** What is sent on: version 00. */
export function writeTraceParent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}

const pool = Buffer.alloc(4096)
let used = pool.length

/** @param bytes 16 for a trace, 8 for a span; never all zero */
export function randomHex(bytes: 8 | 16): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  const id = pool.toString('hex', used - bytes, used)
  return /^0+$/.test(id) ? randomHex(bytes) : id
}

/** Whether a trace is among the share that is kept; every process with this share decides alike. */
export function isInShare(traceId: string, percent: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < (percent / 100) * 2 ** 32
}
