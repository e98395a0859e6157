/**
 * What federation writes into the ledger. Stops a provider, link or role that no record explains.
 * Trusts the ledger to say when an entry is durable. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

export const providerAdded = defineEvent({
  name: 'provider.added',
  says: 'an admin let people sign in at an identity provider',
})
export const providerRemoved = defineEvent({
  name: 'provider.removed',
  says: 'an admin removed an identity provider; the sessions and roles that came from it ended with it',
})
export const providerLinked = defineEvent({
  name: 'provider.linked',
  says: 'an admin linked an account at an identity provider to a person',
})
export const providerUnlinked = defineEvent({
  name: 'provider.unlinked',
  says: 'an admin took the link between an account at an identity provider and a person away',
})
export const providerLogout = defineEvent({
  name: 'provider.logout',
  says: 'an identity provider told that a person signed out there; the sessions and grants that came from it ended',
})
export const providerLogoutRefused = defineEvent({
  name: 'provider.logout-refused',
  says: 'somebody told of a sign-out in the name of an identity provider and was not believed',
})
export const personProvisioned = defineEvent({
  name: 'person.provisioned',
  says: 'a person came to be by signing in at an identity provider for the first time',
})
export const rolesMapped = defineEvent({
  name: 'person.roles-mapped',
  says: 'the groups of a person at an identity provider changed their roles',
})

/** All of them, for the catalogue. */
export const federationEvents = [
  providerAdded,
  providerRemoved,
  providerLinked,
  providerUnlinked,
  providerLogout,
  providerLogoutRefused,
  personProvisioned,
  rolesMapped,
]
