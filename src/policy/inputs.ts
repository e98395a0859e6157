/**
 * What did a rule see when it decided?
 * Stops: a denial that names a rule and leaves open why it applied.
 * Trusts: the rule's own read-set; the request that was judged.
 * Fails: what cannot be shown is told by its kind.
 */
import type { Input } from './evaluate/compile-rules.ts'
import { type CedarIp, isValue, type Result, type Value } from './evaluate/values.ts'

/** What the ledger can keep. */
export type Shown = string | number | boolean | readonly Shown[] | { readonly [name: string]: Shown }

const longestText = 500
const mostElements = 100

function showIp({ version, bits, prefix }: CedarIp): string {
  const [groups, width, base, between] = version === 4 ? ([4, 8n, 10, '.'] as const) : ([8, 16n, 16, ':'] as const)
  const written = Array.from({ length: groups }, (_, place) => {
    const shift = width * BigInt(groups - 1 - place)
    return ((bits >> shift) & ((1n << width) - 1n)).toString(base)
  })
  return prefix === groups * Number(width) ? written.join(between) : `${written.join(between)}/${prefix}`
}

function showValue(value: Value): Shown {
  if (typeof value === 'string') return value.length > longestText ? `${value.slice(0, longestText)}…` : value
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value === 'bigint') return String(value)
  switch (value.kind) {
    case 'entity':
      return `${value.type}::${JSON.stringify(value.id)}`
    case 'set':
      return [...value.values()].slice(0, mostElements).map(showValue)
    case 'record':
      return Object.fromEntries([...value.names()].map((name) => [name, show(value.get(name))]))
    case 'ip':
      return showIp(value)
    default:
      return String('ms' in value ? value.ms : value.units)
  }
}

function show(result: Result | undefined): Shown {
  if (result === undefined) return '(none)'
  if (isValue(result)) return showValue(result)
  return result.kind === 'unknown' ? '(not told)' : `(${result.says})`
}

/** What a rule read, by how a person would write it. */
export function showInputs(inputs: readonly Input[]): Record<string, Shown> {
  return Object.fromEntries(inputs.map(({ place, value }) => [place, show(value)]))
}
