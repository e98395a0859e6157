/**
 * Which steps of a review of access go to the ledger?
 * Stops: a decision about somebody's access that nobody could find afterwards.
 * Trusts: audit to sanitise details and to resolve only when the entry is durable.
 * Fails: without a record the step is rolled back.
 */
import { defineEvent } from '#audit'

export const reviewEvents = {
  started: defineEvent({
    name: 'review.started',
    says: 'a campaign began in which people look at who has access to what',
  }),
  decided: defineEvent({
    name: 'review.decided',
    says: 'it was decided that access is kept or taken, or nobody answered in time',
  }),
  delegated: defineEvent({
    name: 'review.delegated',
    says: 'a reviewer handed an item of a campaign to another person',
  }),
  closed: defineEvent({ name: 'review.closed', says: 'a campaign was closed; its items change no more' }),
} as const
