/**
 * Which moment, or which length of time, does a text name?
 * Stops: a moment that is read otherwise than Cedar reads it: no local time, no 24 o'clock, no 30 February.
 * Trusts: nothing.
 * Fails: a text that is none is `unparsable`; what is beyond 64 bits of milliseconds is an `overflow`.
 * @see https://docs.cedarpolicy.com/policies/syntax-operators.html#datetime-and-duration-operators
 */
import { long, wrong, type CedarDatetime, type CedarDuration, type Wrong } from './values.ts'

const msPer = { d: 86_400_000n, h: 3_600_000n, m: 60_000n, s: 1_000n, ms: 1n } as const
const moment = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?(?:Z|([+-])(\d\d)(\d\d)))?$/
const span = /^(-?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/
/** WHY: more digits are beyond 64 bits in every unit, and BigInt would reckon with them for long. */
const longestSpan = 110

export function isBeyond64Bits(exact: bigint): boolean {
  return typeof long(exact) === 'object'
}

function dayOf(year: number, month: number, day: number): bigint | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const isReal = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isReal ? BigInt(date.getTime()) : undefined
}

/** Reads a day, or a day and a time as RFC 3339 writes them, where an offset has no colon and seconds have three digits or none behind the point. */
export function parseDatetime(text: string): CedarDatetime | Wrong {
  const bad = wrong('unparsable', 'a text is no datetime')
  const parts = moment.exec(text)
  if (parts === null) return bad
  const part = (index: number) => Number(parts[index] ?? 0)
  const start = dayOf(part(1), part(2), part(3))
  if (start === undefined || part(4) > 23 || part(5) > 59 || part(6) > 59) return bad
  if (part(9) > 23 || part(10) > 59) return bad
  const ofDay = part(4) * 3_600_000 + part(5) * 60_000 + part(6) * 1_000 + part(7)
  const ahead = (part(9) * 60 + part(10)) * 60_000 * (parts[8] === '-' ? -1 : 1)
  return { kind: 'datetime', ms: start + BigInt(ofDay - ahead) }
}

/** Reads `1d2h3m4s5ms`, any of the five left out but not all, with a `-` in front at will. */
export function parseDuration(text: string): CedarDuration | Wrong {
  const bad = wrong('unparsable', 'a text is no duration')
  const parts = text.length > longestSpan ? null : span.exec(text)
  if (parts === null || parts.slice(2).every((part) => part === undefined)) return bad
  const [, sign, ...amounts] = parts
  const units = Object.values(msPer)
  const all = amounts.reduce((sum, amount, index) => sum + BigInt(amount ?? 0) * (units[index] ?? 0n), 0n)
  const ms = sign === '-' ? -all : all
  return isBeyond64Bits(ms) ? wrong('unparsable', 'a duration is beyond 64 bits') : { kind: 'duration', ms }
}

/** Whole units, cut towards zero. */
export function wholeUnits({ ms }: CedarDuration, unit: keyof typeof msPer): bigint {
  return ms / msPer[unit]
}

function sinceMidnight(ms: bigint): bigint {
  const rest = ms % msPer.d
  return rest < 0n ? rest + msPer.d : rest
}

/** Midnight of its day, in UTC. */
export function toDate({ ms }: CedarDatetime): CedarDatetime | Wrong {
  const midnight = ms - sinceMidnight(ms)
  if (isBeyond64Bits(midnight)) return wrong('overflow', 'a datetime is beyond 64 bits')
  return { kind: 'datetime', ms: midnight }
}

/** How long after midnight of its day, in UTC. */
export function toTime({ ms }: CedarDatetime): CedarDuration {
  return { kind: 'duration', ms: sinceMidnight(ms) }
}
