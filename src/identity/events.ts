/**
 * What identity writes into the ledger. Stops a change of people or credentials from leaving no trace.
 * Trusts the ledger to say when an entry is durable. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'
import { externalEvents } from './external/events.ts'
import { federationEvents } from './federation/events.ts'
import { oauthEvents } from './oauth/events.ts'
import { pageEvents } from './pages/events.ts'
import { scimEvents } from './scim/events.ts'
import { accountEvents } from './service-accounts/events.ts'
import { stepUpEvents } from './step-up/events.ts'

export const sessionStarted = defineEvent({
  name: 'session.started',
  says: 'a person signed in and was given a session',
})
export const sessionEnded = defineEvent({
  name: 'session.ended',
  says: 'a session was ended by its person, by an admin, by a change of factors or by its limits',
})
export const signInRefused = defineEvent({
  name: 'sign-in.refused',
  says: 'a sign-in was refused; the details hold the reason that the caller is not told',
})
export const tokenMinted = defineEvent({ name: 'token.minted', says: 'a person made an access token for one resource' })
export const tokenRefused = defineEvent({ name: 'token.refused', says: 'an access token was asked for and not given' })
export const tokenRevoked = defineEvent({ name: 'token.revoked', says: 'an access token was revoked' })
export const enrolmentOpened = defineEvent({
  name: 'enrolment.opened',
  says: 'a one-use link was made for the first admin',
})
export const personInvited = defineEvent({
  name: 'person.invited',
  says: 'a person was invited with a one-use link and the roles they will have',
})
export const enrolmentRefused = defineEvent({
  name: 'enrolment.refused',
  says: 'a step of an enrolment was refused',
})
export const personEnrolled = defineEvent({
  name: 'person.enrolled',
  says: 'a person set a password and a second factor and received their roles',
})
export const personSuspended = defineEvent({
  name: 'person.suspended',
  says: 'a person was suspended; their sessions and tokens ended with it',
})
export const personResumed = defineEvent({ name: 'person.resumed', says: 'a suspended person may sign in again' })
export const passwordChanged = defineEvent({
  name: 'person.password-changed',
  says: 'a person changed their password; their other sessions ended with it',
})
export const recoveryCodesReplaced = defineEvent({
  name: 'person.recovery-codes-replaced',
  says: 'a person replaced their recovery codes; the old ones are worth nothing',
})
export const signInReset = defineEvent({
  name: 'person.sign-in-reset',
  says: 'an admin took away password and second factor of a person and made a new invitation for them',
})
export const changeRefused = defineEvent({
  name: 'person.change-refused',
  says: 'a person could not prove their password or code and nothing was changed',
})

export const authenticatorAdded = defineEvent({
  name: 'authenticator.added',
  says: 'a person proved a factor once more and set up an authenticator',
})
export const passkeyAdded = defineEvent({
  name: 'passkey.added',
  says: 'a person proved a factor once more and added a passkey',
})
export const passkeyRenamed = defineEvent({ name: 'passkey.renamed', says: 'a person gave a passkey another name' })
export const passkeyRemoved = defineEvent({ name: 'passkey.removed', says: 'a person removed one of their passkeys' })
export const passkeyCloned = defineEvent({
  name: 'passkey.counter-went-back',
  says: 'the counter of a passkey went back, as it does when a second authenticator has its key; it was refused',
})
export const factorRevoked = defineEvent({
  name: 'person.factor-revoked',
  says: 'an admin took one factor from a person; their sessions ended with it',
})
export const personProved = defineEvent({
  name: 'person.proved',
  says: 'a signed-in person proved a factor once more, for something sensitive',
})

export const resetStarted = defineEvent({
  name: 'reset.started',
  says: 'an administrator started a reset for a person; the details say why, and who has agreed',
})
export const resetApproved = defineEvent({ name: 'reset.approved', says: 'another administrator agreed to a reset' })
export const resetCancelled = defineEvent({ name: 'reset.cancelled', says: 'a reset was cancelled before it was used' })
export const resetFinished = defineEvent({
  name: 'reset.finished',
  says: 'a person proved a factor they still had and chose a new password; all they had open ended',
})
export const resetRefused = defineEvent({ name: 'reset.refused', says: 'a step of a reset was refused' })

/** All of them, for the catalogue. */
export const identityEvents = [
  sessionStarted,
  sessionEnded,
  signInRefused,
  tokenMinted,
  tokenRefused,
  tokenRevoked,
  enrolmentOpened,
  personInvited,
  enrolmentRefused,
  personEnrolled,
  personSuspended,
  personResumed,
  passwordChanged,
  recoveryCodesReplaced,
  signInReset,
  changeRefused,
  authenticatorAdded,
  passkeyAdded,
  passkeyRenamed,
  passkeyRemoved,
  passkeyCloned,
  factorRevoked,
  personProved,
  resetStarted,
  resetApproved,
  resetCancelled,
  resetFinished,
  resetRefused,
  ...oauthEvents,
  ...federationEvents,
  ...pageEvents,
  ...accountEvents,
  ...externalEvents,
  ...scimEvents,
  ...Object.values(stepUpEvents),
]
