/**
 * What pages write into the ledger. Stops forged forms from leaving no trace.
 * Trusts the ledger to say when an entry is durable. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

export const formRefused = defineEvent({
  name: 'form.refused',
  says: 'a form was sent that is not from a page this browser was given for this person and path; nothing was done',
})
export const deviceCodeRefused = defineEvent({
  name: 'device-code.refused',
  says: 'a person typed the code of a device that does not wait, or typed too many',
})

/** All of them, for the catalogue. */
export const pageEvents = [formRefused, deviceCodeRefused]
