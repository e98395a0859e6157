/**
 * How long may a terminal stay signed in? As long as a session would at most: from the start, and without being used.
 * Stops: a sign-in at a terminal that outlives what sessions are allowed.
 * Trusts: the configuration. Fails: nothing; it is arithmetic.
 * @see ASVS 7.3.1, 7.3.2; docs/decisions/0038-the-terminal-signs-in-by-the-browser.md
 */
import type { SessionLimits } from '../oauth/parts.ts'

const minuteSeconds = 60
const hourSeconds = 3_600
const longestAccessSeconds = 15 * minuteSeconds
const longestHours = 12

/**
 * Lives of what a terminal holds, in seconds. A refresh token lasts as long as a session may be idle; an access token half
 * of that at most, so that a terminal that is used is renewed before its refresh token ends.
 */
export function terminalSeconds({ sessionHours, sessionIdleMinutes }: SessionLimits) {
  const idle = sessionIdleMinutes * minuteSeconds
  return {
    grant: Math.min(sessionHours, longestHours) * hourSeconds,
    refresh: idle,
    access: Math.min(longestAccessSeconds, Math.ceil(idle / 2)),
  }
}
