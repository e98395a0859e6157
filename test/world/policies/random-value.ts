import type { Random } from '../../../tools/fuzz/random.ts'
import type { CedarValueJson, TypeAndId } from './json-world.ts'

export type CedarType =
  | 'bool'
  | 'long'
  | 'text'
  | 'set'
  | 'record'
  | 'entity'
  | 'ip'
  | 'decimal'
  | 'datetime'
  | 'duration'

export const types: readonly CedarType[] = [
  'bool',
  'long',
  'text',
  'set',
  'record',
  'entity',
  'ip',
  'decimal',
  'datetime',
  'duration',
]

export const attributeNames = [
  'a',
  'b',
  'c',
  'upstream',
  'name',
  '__proto__',
  'constructor',
  'x y',
  'toString',
] as const
export const textPool = [
  '',
  'a',
  'b',
  'ab',
  'a*b',
  '*',
  '\\*',
  'é',
  '😀',
  'e\u0301',
  '\u0000',
  '__proto__',
  'github',
  'jira',
  'one',
  'two',
  '1.2.3.4',
] as const
const longPool = [
  0, 1, -1, 2, 3, 7, 8, 9_007_199_254_740_991, -9_007_199_254_740_991, 4_294_967_296, -4_294_967_297,
] as const
const ips = [
  '127.0.0.1',
  '10.0.0.1',
  '10.0.0.0/8',
  '10.1.2.3/16',
  '0.0.0.0/0',
  '224.0.0.1',
  '::1',
  '::',
  'fe80::1/10',
  'ff00::/8',
  '1:2:3:4:5:6:7:8',
  '::/0',
  'FF02::1/128',
  '1::8/127',
  '127.0.0.1/7',
] as const
const badIps = [
  '',
  '256.1.1.1',
  '1.2.3',
  '01.2.3.4',
  '1.2.3.4/33',
  '1.2.3.4/08',
  '::ffff:1.2.3.4',
  '1:2:3:4:5:6:7::8',
  ':::',
  '1::2::3',
  'g::',
  '1.2.3.4/',
  '::1/129',
  ' 1.2.3.4',
  '1:2:3:4:5:6:7',
  '::1%eth0',
  '1:2:3:4:5:6:7::',
] as const
const decimals = [
  '0.0',
  '1.0',
  '1.0000',
  '-1.5',
  '0.0001',
  '-0.0',
  '922337203685477.5807',
  '-922337203685477.5808',
  '12.34',
  '00012.3400',
] as const
const badDecimals = [
  '1',
  '1.',
  '.5',
  '1.00000',
  '922337203685477.5808',
  '-922337203685477.5809',
  '+1.0',
  '1e2',
  '--1.0',
  '١.0',
  '- 1.0',
] as const
const datetimes = [
  '1970-01-01',
  '2024-02-29',
  '2026-03-01T12:30:45Z',
  '2026-03-01T12:30:45.678Z',
  '2026-03-01T12:30:45+0130',
  '2026-03-01T12:30:45.999-2359',
  '0000-01-01',
  '9999-12-31T23:59:59.999Z',
  '1969-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00+2359',
] as const
const badDatetimes = [
  '2023-02-29',
  '2024-13-01',
  '2024-01-00',
  '2024-01-01T24:00:00Z',
  '2024-01-01T00:60:00Z',
  '2024-01-01T00:00:60Z',
  '2024-01-01T00:00:00',
  '2024-1-1',
  '2024-01-01T00:00:00.1Z',
  '2024-01-01T00:00:00+01:00',
  '2024-01-01T00:00:00+2400',
  '2024-01-01T00:00:00+0060',
  '2024-01-01Z',
  '20240101',
  '2024-01-01t00:00:00z',
  '+2024-01-01',
  '',
] as const
const durations = [
  '0ms',
  '1d',
  '1d2h3m4s5ms',
  '-1d',
  '5m',
  '5ms',
  '90m',
  '-1h30m',
  '9223372036854775807ms',
  '-9223372036854775808ms',
  '1s1ms',
  '106751991167d',
  '-106751991167d7h12m55s808ms',
  '00001d',
] as const
const badDurations = [
  '',
  '-',
  '1',
  'd',
  '1ms1s',
  '1h1d',
  '9223372036854775808ms',
  '-9223372036854775809ms',
  '1.5h',
  '+1d',
  '1D',
  '1d 2h',
  '--1d',
  '106751991168d',
  '99999999999999999999999d',
] as const

export const entityPool: readonly TypeAndId[] = [
  ...['p0', 'p1', 'p2', 'p3', 'nobody'].map((id) => ({ type: 'N::Person', id })),
  ...['r0', 'r1', 'r2', 'r3'].map((id) => ({ type: 'N::Role', id })),
  ...['g0', 'g1'].map((id) => ({ type: 'N::Group', id })),
  ...['call', 'read', 'admin', 'write'].map((id) => ({ type: 'N::Action', id })),
  ...['t0', 't1', 't2', 't3'].map((id) => ({ type: 'N::Tool', id })),
  ...['s0', 's1'].map((id) => ({ type: 'N::Server', id })),
  { type: 'N::Plane', id: 't0' },
  { type: 'N::Texts', id: 'asked' },
  { type: 'N::Numbers', id: 'asked' },
]

export const extensions = {
  ip: { good: ips, bad: badIps },
  decimal: { good: decimals, bad: badDecimals },
  datetime: { good: datetimes, bad: badDatetimes },
  duration: { good: durations, bad: badDurations },
} as const

export function isExtension(type: CedarType): type is keyof typeof extensions {
  return type in extensions
}

/** A value in Cedar's JSON form, as entities and contexts hold it. */
export function randomValue(random: Random, type: CedarType = random.pick(types), depth = 2): CedarValueJson {
  if (isExtension(type)) return { __extn: { fn: type, arg: random.pick<string>(extensions[type].good) } }
  switch (type) {
    case 'bool':
      return random.oneIn(2)
    case 'long':
      return random.pick(longPool)
    case 'text':
      return random.pick(textPool)
    case 'entity':
      return { __entity: random.pick(entityPool) }
    case 'set': {
      const member = random.pick(types)
      const length = random.below(4)
      const type = (): CedarType => (depth <= 0 ? 'text' : random.oneIn(5) ? random.pick(types) : member)
      return Array.from({ length }, () => randomValue(random, type(), depth - 1))
    }
    case 'record': {
      const names = attributeNames.filter(() => random.oneIn(4))
      return Object.fromEntries(
        names.map((name) => [name, randomValue(random, depth <= 0 ? 'long' : random.pick(types), depth - 1)]),
      )
    }
  }
}
