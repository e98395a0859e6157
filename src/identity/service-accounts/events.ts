/**
 * What is written of service accounts. Stops a program that nobody can be asked about.
 * Trusts the ledger to say when an entry is durable. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

export const accountAdded = defineEvent({
  name: 'service-account.added',
  says: 'an admin made a service account, with an owner, a purpose, an end and roles',
})
export const accountRenewed = defineEvent({
  name: 'service-account.renewed',
  says: 'the end of a service account was moved, by its owner or an admin',
})
export const accountAssigned = defineEvent({
  name: 'service-account.assigned',
  says: 'a service account has another owner; tokens that the former owner made ended with it',
})
export const accountSuspended = defineEvent({
  name: 'service-account.suspended',
  says: 'a service account was stopped, by its owner or an admin; its tokens ended with it',
})
export const accountResumed = defineEvent({
  name: 'service-account.resumed',
  says: 'an admin let a suspended service account act again',
})
export const accountRemoved = defineEvent({
  name: 'service-account.removed',
  says: 'an admin removed a service account for good, with its roles, tokens and OAuth clients',
})

/** All of them, for the catalogue. */
export const accountEvents = [
  accountAdded,
  accountRenewed,
  accountAssigned,
  accountSuspended,
  accountResumed,
  accountRemoved,
]
