/** Cedar's functions for the naive evaluator of the proof `policy`: https://docs.cedarpolicy.com/policies/syntax-operators.html */
import { in64, liesIn, type Naive, readDatetime, readDecimal, readDuration, readIp, take } from './naive-types.ts'

const bool = (v: boolean): Naive => ({ t: 'bool', v })
const dayMs = 86_400_000n

function ipOf(value: Naive | undefined) {
  return take('ip', value)
}

function inside(value: Naive | undefined, four: string, six: string): Naive {
  const ip = ipOf(value)
  const range = readIp(ip.bytes.length === 4 ? four : six)
  return bool(liesIn(ip, ipOf(range)))
}

function floorDay(ms: bigint): bigint {
  const days = ms / dayMs
  return (ms < 0n && days * dayMs !== ms ? days - 1n : days) * dayMs
}

type Apply = (first: Naive | undefined, second: Naive | undefined) => Naive

const span =
  (divisor: bigint): Apply =>
  (first) => ({ t: 'long', v: take('duration', first) / divisor })

const functions: Readonly<Record<string, Apply>> = {
  ip: (first) => readIp(take('string', first)),
  decimal: (first) => readDecimal(take('string', first)),
  datetime: (first) => readDatetime(take('string', first)),
  duration: (first) => readDuration(take('string', first)),
  isIpv4: (first) => bool(ipOf(first).bytes.length === 4),
  isIpv6: (first) => bool(ipOf(first).bytes.length === 16),
  isLoopback: (first) => inside(first, '127.0.0.0/8', '::1/128'),
  isMulticast: (first) => inside(first, '224.0.0.0/4', 'ff00::/8'),
  isInRange: (first, second) => bool(liesIn(ipOf(first), ipOf(second))),
  lessThan: (first, second) => bool(take('decimal', first) < take('decimal', second)),
  lessThanOrEqual: (first, second) => bool(take('decimal', first) <= take('decimal', second)),
  greaterThan: (first, second) => bool(take('decimal', first) > take('decimal', second)),
  greaterThanOrEqual: (first, second) => bool(take('decimal', first) >= take('decimal', second)),
  offset: (first, second) => ({ t: 'datetime', v: in64(take('datetime', first) + take('duration', second)) }),
  durationSince: (first, second) => ({ t: 'duration', v: in64(take('datetime', first) - take('datetime', second)) }),
  toDate: (first) => ({ t: 'datetime', v: in64(floorDay(take('datetime', first))) }),
  toTime: (first) => ({ t: 'duration', v: take('datetime', first) - floorDay(take('datetime', first)) }),
  toMilliseconds: span(1n),
  toSeconds: span(1_000n),
  toMinutes: span(60_000n),
  toHours: span(3_600_000n),
  toDays: span(dayMs),
}

/** @throws Wrong where Cedar reports an error */
export function callFunction(name: string, given: readonly Naive[]): Naive {
  const apply = Object.hasOwn(functions, name) ? functions[name] : undefined
  if (apply === undefined) throw new Error(`there is no function ${name}`)
  return apply(given[0], given[1])
}
