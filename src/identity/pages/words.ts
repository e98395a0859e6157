/**
 * How are moments, durations and what others say about themselves told to people?
 * Stops: names that reorder, hide or break the text around them.
 * Trusts: nothing that a client says.
 * Fails: what cannot be told is told as unknown.
 * @see Unicode TR 9 (bidirectional text), TR 36
 */
import type { Factor } from '#kernel'
import { html, type Html } from './html.ts'

const minuteMs = 60_000
const moments = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'medium', timeStyle: 'short' })
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu
const longestName = 80

/** A moment in wall-clock milliseconds, in UTC. */
export function moment(atMs: number): Html {
  const at = new Date(atMs)
  return html`<time datetime="${at.toISOString()}">${moments.format(at)} UTC</time>`
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}

/** A duration in the largest unit that says it well, never shorter than it is. */
export function duration(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000))
  if (seconds < 120) return counted(seconds, 'second')
  if (seconds < 120 * 60) return counted(Math.ceil(seconds / 60), 'minute')
  if (seconds < 48 * 3600) return counted(Math.ceil(seconds / 3600), 'hour')
  return counted(Math.ceil(seconds / 86_400), 'day')
}

/** How long ago a moment was: for what is young; older moments are told as such. */
export function since(atMs: number, nowMs: number): Html | string {
  const ago = nowMs - atMs
  if (ago < minuteMs) return 'a moment ago'
  return ago < 60 * minuteMs ? `${counted(Math.floor(ago / minuteMs), 'minute')} ago` : moment(atMs)
}

/** What somebody calls themselves: on one line, cut, and kept apart from the text around it. */
export function foreignName(given: string): Html {
  const visible = given.normalize('NFC').replace(unseen, '').replace(/\s+/g, ' ').trim()
  const signs = [...visible]
  const cut = signs.length > longestName ? `${signs.slice(0, longestName).join('')}…` : visible
  return html`<bdi>${cut === '' ? 'a client without a name' : cut}</bdi>`
}

const factorWords: Readonly<Record<Factor, string>> = {
  password: 'password',
  totp: 'authenticator code',
  'recovery-code': 'recovery code',
  passkey: 'passkey',
  'identity-provider': 'identity provider',
  'identity-provider-mfa': 'identity provider with a second factor',
  'client-secret': 'client secret',
  'client-key': 'client key',
}

/** Factors that were proved, as a list. */
export function factorList(factors: readonly Factor[]): string {
  return factors.map((factor) => factorWords[factor]).join(' and ')
}

/** A sentence of a refusal, as it stands on a page. */
export function sentence(lower: string): string {
  const text = lower.replaceAll('`', '')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\//, 'Firefox'],
  [/\b(Headless)?Chrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const systems: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

/** What a client says it is, in few words; its own where it is no browser. */
export function agentWords(agent: string): Html | string {
  const find = (table: typeof browsers) => table.find(([shape]) => shape.test(agent))?.[1]
  const [browser, system] = [find(browsers), find(systems)]
  if (browser !== undefined) return system === undefined ? browser : `${browser} on ${system}`
  return agent === '' ? 'An unknown program' : foreignName(agent)
}
