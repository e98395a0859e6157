/**
 * How do attempts to prove who one is end?
 * Stops: guessing that nobody sees.
 * Trusts: the events that identity itself records.
 * Fails: nothing here can fail; counting changes nothing.
 */
import type { Ledger } from '#audit'
import { defineMetric, type Meter } from '#platform/telemetry'

export const authAttempts = defineMetric({
  name: 'castellan.auth_attempts',
  kind: 'counter',
  unit: '1',
  says: 'attempts to prove who one is: with an access token at the gateway, or by signing in',
  labels: ['method', 'outcome'],
})

const outcomes: Readonly<Record<string, { method: string; outcome: string }>> = {
  'session.started': { method: 'sign-in', outcome: 'succeeded' },
  'sign-in.refused': { method: 'sign-in', outcome: 'refused' },
  'token.refused': { method: 'token-minting', outcome: 'refused' },
  'token.minted': { method: 'token-minting', outcome: 'succeeded' },
}

/** The same ledger for identity; what it records of sign-ins is counted, too. */
export function countSignIns(ledger: Ledger, meter: Meter): Ledger {
  const attempts = meter.counter(authAttempts)
  return {
    ...ledger,
    append(event, fields) {
      const attempt = outcomes[event.name]
      if (attempt !== undefined) attempts.with(attempt).add()
      return ledger.append(event, fields)
    },
  }
}
