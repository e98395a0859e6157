import { CliFailure } from './failure.ts'

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const longestSeconds = 3_650 * 86_400

/**
 * Reads `90s`, `30m`, `1h`, `7d`.
 * @returns seconds
 * @throws CliFailure `cli.bad-duration`
 */
export function readDuration(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text)
  const seconds = Number(match?.[1]) * (secondsOf[match?.[2] ?? ''] ?? Number.NaN)
  if (seconds > 0 && seconds <= longestSeconds) return seconds
  const hint = 'write a number and a unit: 90s, 30m, 1h or 7d'
  throw new CliFailure('usage', 'cli.bad-duration', `\`${text}\` is not a duration`, hint)
}

/** Reads a whole number between two bounds. @throws CliFailure `cli.bad-number` */
export function readCount(text: string, bounds: { name: string; min: number; max: number }): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= bounds.min && count <= bounds.max) return count
  const hint = `give a whole number from ${bounds.min} to ${bounds.max}`
  throw new CliFailure('usage', 'cli.bad-number', `\`${text}\` does not do for ${bounds.name}`, hint)
}

/** A time for people: UTC, ISO 8601, without the milliseconds. */
export function showTime(time: number | string | null | undefined): string | undefined {
  if (time === undefined || time === null) return undefined
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().replace(/\.\d+Z$/, 'Z')
}
