/**
 * What is recorded of people whom another issuer vouches for. Stops a person or a change of their groups from leaving no
 * trace. Trusts the ledger to say when an entry is durable. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

export const personRecognised = defineEvent({
  name: 'person.recognised',
  says: 'a person of a configured issuer came for the first time; the details hold the roles that the mapping gives',
})
export const externalClaimsChanged = defineEvent({
  name: 'person.claims-changed',
  says: 'a newer token told other groups of a person than before, or came through another client',
})

export const issuerKeyWithdrawn = defineEvent({
  name: 'issuer.key-withdrawn',
  says: 'an admin withdrew a key of an issuer elsewhere; what it signed ended, whatever the issuer publishes',
})
export const issuerKeyRestored = defineEvent({
  name: 'issuer.key-restored',
  says: 'an admin trusts a key of an issuer elsewhere again',
})

/** All of them, for the catalogue. */
export const externalEvents = [personRecognised, externalClaimsChanged, issuerKeyWithdrawn, issuerKeyRestored]
