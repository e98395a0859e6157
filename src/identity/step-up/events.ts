/**
 * What is put on record of fresh factors for single calls. Stops a proof from leaving no trace.
 * Trusts the ledger. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

export const stepUpEvents = {
  proved: defineEvent({
    name: 'step-up.proved',
    says: 'a person proved a fresh factor for one call; the call may pass once, within minutes',
  }),
  denied: defineEvent({
    name: 'step-up.denied',
    says: 'a person refused to prove a fresh factor for a call that was made in their name',
  }),
  refused: defineEvent({
    name: 'step-up.refused',
    says: 'somebody opened the link to a fresh factor that another person was asked for',
  }),
} as const
