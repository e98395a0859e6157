/**
 * What identity writes into the ledger. Stops a change of people or credentials from leaving no trace.
 * Trusts the ledger to say when an entry is durable. Fails at compile time on an event that is not listed.
 */
import { defineEvent } from '#audit'

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
]
