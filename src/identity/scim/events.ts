/**
 * What provisioning writes into the ledger. Stops a person, group or role that no record explains.
 * Trusts the ledger to say when an entry is durable. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

export const connectionAdded = defineEvent({
  name: 'scim.connection-added',
  says: 'an admin let a directory provision people',
})
export const connectionRotated = defineEvent({
  name: 'scim.connection-rotated',
  says: 'an admin gave a provisioning connection a new token; the one before is worth nothing',
})
export const connectionRemoved = defineEvent({
  name: 'scim.connection-removed',
  says: 'an admin removed a provisioning connection; its people stay, the roles that its groups gave are gone',
})
export const groupMapped = defineEvent({
  name: 'scim.group-mapped',
  says: 'an admin let the members of a group of a directory have a role',
})
export const groupUnmapped = defineEvent({
  name: 'scim.group-unmapped',
  says: 'an admin ended that the members of a group of a directory have a role',
})
export const personAdopted = defineEvent({
  name: 'scim.person-adopted',
  says: 'an admin handed a person over to a provisioning connection',
})
export const personCreated = defineEvent({ name: 'scim.person-created', says: 'a directory made a person' })
export const personChanged = defineEvent({
  name: 'scim.person-changed',
  says: 'a directory changed what is told of a person',
})
export const personRemoved = defineEvent({
  name: 'scim.person-removed',
  says: 'a directory took a person away; all they could come in with ended',
})
export const personLinked = defineEvent({
  name: 'scim.person-linked',
  says: 'a person that a directory made came for the first time with their account at its provider',
})
export const groupCreated = defineEvent({ name: 'scim.group-created', says: 'a directory made a group' })
export const groupChanged = defineEvent({
  name: 'scim.group-changed',
  says: 'a directory changed a group; the details hold the roles that came and went with it',
})
export const groupRemoved = defineEvent({ name: 'scim.group-removed', says: 'a directory took a group away' })
export const provisioningRefused = defineEvent({
  name: 'scim.refused',
  says: 'a request to the provisioning endpoint was refused',
})

/** All of them, for the catalogue. */
export const scimEvents = [
  connectionAdded,
  connectionRotated,
  connectionRemoved,
  groupMapped,
  groupUnmapped,
  personAdopted,
  personCreated,
  personChanged,
  personRemoved,
  personLinked,
  groupCreated,
  groupChanged,
  groupRemoved,
  provisioningRefused,
]
