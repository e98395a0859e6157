/**
 * What is put on record of remedies that people give?
 * Stops: an approval, a denial or a consent that leaves no trace.
 * Trusts: the ledger.
 * Fails: at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

export const remedyEvents = {
  asked: defineEvent({
    name: 'remedy.asked',
    says: 'a call was denied until somebody approves, justifies or consents, and they were asked',
  }),
  expired: defineEvent({
    name: 'remedy.expired',
    says: 'what a call needed was not given in time, which is a denial',
  }),
  voided: defineEvent({
    name: 'remedy.voided',
    says: 'what was given for a call counts no longer: the rules changed, or an approver may approve no more',
  }),
  declined: defineEvent({ name: 'remedy.declined', says: 'a person denied a call that was made in their own name' }),
  approved: defineEvent({ name: 'approval.given', says: 'a person approved one call of another; it may pass once' }),
  denied: defineEvent({ name: 'approval.denied', says: 'a person denied a call of another' }),
  justified: defineEvent({ name: 'justification.given', says: 'a person said why a call of theirs is needed' }),
  consented: defineEvent({ name: 'consent.given', says: 'a person consented to a purpose, for a client of theirs' }),
  consentRevoked: defineEvent({ name: 'consent.revoked', says: 'a person took a consent back' }),
  refused: defineEvent({
    name: 'remedy.refused',
    says: 'somebody tried to answer for a call that is not theirs to answer for',
  }),
} as const
