/** Two sets of times, taken in pairs: can one be told from the other? */

export interface Comparison {
  readonly samples: readonly [number, number]
  readonly p10Ms: readonly [number, number]
  readonly p50Ms: readonly [number, number]
  readonly p90Ms: readonly [number, number]
  readonly p99Ms: readonly [number, number]
  /** The chance that one of the first is longer than one of the second: half when nobody can tell them apart. */
  readonly likelihood: number
  /** What the likelihood may be off by chance alone, once in three times. */
  readonly deviation: number
  /** The share of pairs whose first is longer: a machine that is busy for a minute slows both of a pair, and hides nothing. */
  readonly pairedLikelihood: number
  /** Of the paired likelihood, by chance alone. */
  readonly pairedDeviation: number
}

function at(sorted: readonly number[], share: number): number {
  return Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(3))
}

/** The rank test of Mann and Whitney; equal times share their rank. */
function likelihoodOf(first: readonly number[], second: readonly number[]): number {
  const all = [...first.map((ms) => ({ ms, isFirst: true })), ...second.map((ms) => ({ ms, isFirst: false }))]
  all.sort((one, other) => one.ms - other.ms)
  let ranks = 0
  for (let from = 0; from < all.length;) {
    let to = from
    while (to < all.length && all[to]?.ms === all[from]?.ms) to += 1
    const rank = (from + 1 + to) / 2
    for (let index = from; index < to; index += 1) if (all[index]?.isFirst === true) ranks += rank
    from = to
  }
  return (ranks - (first.length * (first.length + 1)) / 2) / (first.length * second.length)
}

/** The sign test: each pair counts once, an even one half. */
function pairedLikelihoodOf(first: readonly number[], second: readonly number[]): number {
  const pairs = Math.min(first.length, second.length)
  let longer = 0
  for (let pair = 0; pair < pairs; pair += 1) longer += (Math.sign((first[pair] ?? 0) - (second[pair] ?? 0)) + 1) / 2
  return longer / pairs
}

export function compare(first: readonly number[], second: readonly number[]): Comparison {
  const [a, b] = [first, second].map((times) => times.toSorted((one, other) => one - other)) as [number[], number[]]
  const both = (share: number): readonly [number, number] => [at(a, share), at(b, share)]
  const [n, m] = [a.length, b.length]
  return {
    samples: [n, m],
    p10Ms: both(0.1),
    p50Ms: both(0.5),
    p90Ms: both(0.9),
    p99Ms: both(0.99),
    likelihood: Number(likelihoodOf(a, b).toFixed(4)),
    deviation: Number(Math.sqrt((n + m + 1) / (12 * n * m)).toFixed(4)),
    pairedLikelihood: Number(pairedLikelihoodOf(first, second).toFixed(4)),
    pairedDeviation: Number((0.5 / Math.sqrt(Math.min(n, m))).toFixed(4)),
  }
}
