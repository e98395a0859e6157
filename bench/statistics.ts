/** The few figures that a series of samples is told by; medians, because one slow round says nothing about the rest. */

/** @param sorted ascending; 0 of nothing */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** The middle one, or the mean of the two in the middle; 0 of nothing. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? 0
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** How far the samples lie apart: highest less lowest, as a share of the median. */
export function spread(samples: readonly number[]): number {
  const middle = median(samples)
  return middle === 0 ? 0 : (Math.max(...samples) - Math.min(...samples)) / middle
}
