/**
 * Which changes of policy go to the ledger?
 * Stops: a change of rights without a record.
 * Trusts: audit to sanitise details and to resolve only when the entry is durable.
 * Fails: without a record the change is rolled back.
 */
import { defineEvent } from '#audit'

export const policyEvents = {
  published: defineEvent({
    name: 'policy.published',
    says: 'the roles changed and a new policy snapshot took effect',
  }),
  roleGranted: defineEvent({ name: 'role.granted', says: 'a person was given a role' }),
  roleRevoked: defineEvent({ name: 'role.revoked', says: 'a role was taken from a person' }),
  holdPlaced: defineEvent({
    name: 'hold.placed',
    says: 'a person, a client, an address, a tool, an upstream or everything was stopped',
  }),
  holdLifted: defineEvent({ name: 'hold.lifted', says: 'a hold was lifted' }),
  distrusted: defineEvent({
    name: 'policy.distrusted',
    says: 'the official engine disagreed with a decision; everything is denied until other rules are published',
  }),
  flowLabelled: defineEvent({
    name: 'flow.labelled',
    says: 'a client of a person is about to meet what it had not met before: sensitive data, or what strangers wrote',
  }),
  flowReset: defineEvent({ name: 'flow.reset', says: 'what the clients of a person had met was set back' }),
} as const
