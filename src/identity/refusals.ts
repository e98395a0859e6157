/**
 * What identity refuses with. Stops an answer from telling a stranger more than that it did not work.
 * Trusts nothing: the reason goes into the ledger, the caller reads these sentences.
 * Fails at compile time, when a code is used that is not listed here.
 */
import { defineRefusals } from '#kernel'
import { passwordRefusals } from './methods/password/refusals.ts'

export const refusals = defineRefusals({
  signInRefused: {
    code: 'identity.sign-in-refused',
    says: 'the name, the password or the code is not right',
    hint: 'check all three; a code works once, so wait for the next one; after many failures only a recovery code works',
    status: 401,
  },
  signInThrottled: {
    code: 'identity.sign-in-throttled',
    says: 'too many attempts',
    hint: 'wait for the time given, then try again',
    status: 429,
  },
  busy: {
    code: 'identity.busy',
    says: 'too many people are signing in at this moment',
    hint: 'try again in a second',
    status: 503,
  },
  proofRefused: {
    code: 'identity.proof-refused',
    says: 'the present password or the code is not right',
    hint: 'nothing was changed; a code works once, so wait for the next one',
    status: 403,
  },
  sessionInvalid: {
    code: 'identity.session-invalid',
    says: 'this session has ended or never existed',
    hint: 'sign in again',
    status: 401,
  },
  tokenInvalid: {
    code: 'identity.token-invalid',
    says: 'this access token is not valid here',
    hint: 'mint a new one for exactly this resource, or ask an admin whether it was revoked',
    status: 401,
  },
  tokenExpired: {
    code: 'identity.token-expired',
    says: 'this access token has expired',
    hint: 'mint a new one',
    status: 401,
  },
  secondFactorNeeded: {
    code: 'identity.second-factor-needed',
    says: 'an access token is minted only from a session that was started with a second factor',
    hint: 'sign in with your password and a code, then mint the token',
    status: 403,
  },
  resourceInvalid: {
    code: 'identity.resource-invalid',
    says: '{resource} cannot be the resource of a token',
    hint: 'use the full URL of one gateway endpoint, without user, query or fragment',
    status: 400,
  },
  labelInvalid: {
    code: 'identity.label-invalid',
    says: 'the label of a token has 1 to 100 printable characters',
    hint: 'name the client it is for, such as `claude on my laptop`',
    status: 400,
  },
  lifetimeInvalid: {
    code: 'identity.lifetime-invalid',
    says: 'a token lives from 1 minute to {days} days',
    hint: 'ask for a shorter life, or raise `identity.accessTokenDays`',
    status: 400,
  },
  tooManyTokens: {
    code: 'identity.too-many-tokens',
    says: 'a person may have 100 access tokens at a time',
    hint: 'revoke the ones that are not used',
    status: 409,
  },
  enrolmentInvalid: {
    code: 'identity.enrolment-invalid',
    says: 'this link does not exist, was used or has expired',
    hint: 'ask for a new invitation; a set-up link is renewed when Castellan starts',
    status: 404,
  },
  enrolmentIncomplete: {
    code: 'identity.enrolment-incomplete',
    says: 'choose a name and a password first',
    hint: 'start again from the link',
    status: 409,
  },
  codeWrong: {
    code: 'identity.code-wrong',
    says: 'the code does not belong to this authenticator at this time',
    hint: 'check that the clock of your device is right and type the code it shows at this moment',
    status: 422,
  },
  nameInvalid: {
    code: 'identity.name-invalid',
    says: '{name} cannot be a name',
    hint: 'use 1 to 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit; `castellan` is taken',
    status: 422,
  },
  displayNameInvalid: {
    code: 'identity.display-name-invalid',
    says: 'a display name has 1 to 100 visible characters',
    hint: 'leave out line breaks and invisible characters',
    status: 422,
  },
  nameTaken: {
    code: 'identity.name-taken',
    says: 'there is a person called {name} already',
    hint: 'choose another name',
    status: 409,
  },
  roleUnknown: {
    code: 'identity.role-unknown',
    says: 'there is no role called {role}',
    hint: 'list the roles and use one of their names',
    status: 422,
  },
  ...passwordRefusals,
  personUnknown: {
    code: 'identity.person-unknown',
    says: 'there is no such person',
    hint: 'list the people to see their names',
    status: 404,
  },
  credentialUnknown: {
    code: 'identity.credential-unknown',
    says: 'there is no such session or token',
    hint: 'list them to see their ids; it may have ended already',
    status: 404,
  },
  lastAdmin: {
    code: 'identity.last-admin',
    says: 'this person is the last active admin',
    hint: 'give the role admin to another active person first',
    status: 409,
  },
})
