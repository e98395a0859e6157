/**
 * What identity refuses with. Stops an answer from telling a stranger more than that it did not work.
 * Trusts nothing: the reason goes into the ledger, the caller reads these sentences.
 * Fails at compile time, when a code is used that is not listed here.
 */
import { defineRefusals } from '#kernel'
import { federationRefusals } from './federation/refusals.ts'
import { passwordRefusals } from './methods/password/refusals.ts'
import { pageRefusals } from './pages/refusals.ts'
import { scimRefusals } from './scim/refusals.ts'
import { accountRefusals } from './service-accounts/refusals.ts'
import { stepUpRefusals } from './step-up/refusals.ts'

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
  passkeyRefused: {
    code: 'identity.passkey-refused',
    says: 'this passkey is not accepted here',
    hint: 'try again, with a passkey that was made for this address; an answer is good for five minutes and once',
    status: 401,
  },
  passkeyNeeded: {
    code: 'identity.passkey-needed',
    says: 'administrators of this installation need a passkey, and you have none',
    hint: 'sign in on the account page of the gateway in a browser and add one; nothing else is possible until then',
    status: 403,
  },
  passkeyKnown: {
    code: 'identity.passkey-known',
    says: 'this passkey is registered already',
    hint: 'use another authenticator, or remove the passkey first',
    status: 409,
  },
  passkeyNameInvalid: {
    code: 'identity.passkey-name-invalid',
    says: 'the name of a passkey has 1 to 100 printable characters',
    hint: 'name the device it is on, such as `key on my ring`',
    status: 422,
  },
  tooManyPasskeys: {
    code: 'identity.too-many-passkeys',
    says: 'a person may have 20 passkeys',
    hint: 'remove the ones that are not used',
    status: 409,
  },
  lastFactor: {
    code: 'identity.last-factor',
    says: 'this is the last second factor of this person',
    hint: 'add another one first; a factor that was lost is replaced by a reset',
    status: 409,
  },
  ownReset: {
    code: 'identity.own-reset',
    says: 'nobody resets themselves',
    hint: 'ask another administrator',
    status: 409,
  },
  linkNeedsOwn: {
    code: 'identity.link-needs-own',
    says: 'this person is or was an administrator: nobody else gives them another way in',
    hint: 'have them link their account themselves, signed in as an administrator',
    status: 409,
  },
  resetNeedsTwo: {
    code: 'identity.reset-needs-two',
    says: 'this person is or was an administrator: it takes two other administrators to reset them',
    hint: 'start a reset with `castellan user reset <name> --lost factors` and have another administrator approve it',
    status: 409,
  },
  resetNeedsAnother: {
    code: 'identity.reset-needs-another',
    says: 'you have agreed to this reset already',
    hint: 'another administrator has to agree',
    status: 409,
  },
  resetNeedsAdministrator: {
    code: 'identity.reset-needs-administrator',
    says: 'only persons with the role `admin` agree to the reset of an administrator',
    hint: 'ask one of them',
    status: 403,
  },
  resetUnknown: {
    code: 'identity.reset-unknown',
    says: 'there is no such reset that waits',
    hint: 'it may have been used, cancelled or too old; list those that are open',
    status: 404,
  },
  resetInvalid: {
    code: 'identity.reset-invalid',
    says: 'this link does not exist, was used or has expired',
    hint: 'ask an administrator for a new one',
    status: 404,
  },
  authenticatorKnown: {
    code: 'identity.authenticator-known',
    says: 'you have an authenticator already',
    hint: 'ask an administrator to revoke it, where it is lost; `castellan user revoke-factor` does it',
    status: 409,
  },
  factorUnknown: {
    code: 'identity.factor-unknown',
    says: 'there is no such factor',
    hint: 'list the factors of the person to see their ids',
    status: 404,
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
  issuerUnreachable: {
    code: 'identity.issuer-unreachable',
    says: 'the keys of the issuer of this access token cannot be fetched',
    hint: 'try again in a minute; if it stays, ask your administrator whether the issuer can be reached from here',
    status: 503,
  },
  signInTooWeak: {
    code: 'identity.sign-in-too-weak',
    says: 'this access token does not show a sign-in that is recent and strong enough',
    hint: 'sign in at your identity provider again, with a second factor, and get a new token',
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
  ...federationRefusals,
  ...pageRefusals,
  ...scimRefusals,
  ...accountRefusals,
  ...stepUpRefusals,
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
  grantUnknown: {
    code: 'identity.grant-unknown',
    says: 'there is no such grant',
    hint: 'list them to see their ids; it may have ended already',
    status: 404,
  },
  clientKeyUnknown: {
    code: 'identity.client-key-unknown',
    says: 'the client has no key of this id',
    hint: 'name the `kid` of a key that the client was registered with',
    status: 404,
  },
  issuerUnknown: {
    code: 'identity.issuer-unknown',
    says: 'this issuer is not one of `identity.issuers`',
    hint: 'write the issuer as the configuration has it',
    status: 404,
  },
  issuerKeyUnknown: {
    code: 'identity.issuer-key-unknown',
    says: 'this key was not withdrawn',
    hint: 'list the withdrawn keys to see what they are called',
    status: 404,
  },
  clientUnknown: {
    code: 'identity.client-unknown',
    says: 'there is no such OAuth client',
    hint: 'list the clients to see their ids',
    status: 404,
  },
  registrationsExceeded: {
    code: 'identity.registrations-exceeded',
    says: 'too many clients were registered from here',
    hint: 'use the client id of an earlier registration, or try again in an hour',
    status: 429,
  },
  clientMetadataInvalid: {
    code: 'identity.client-metadata-invalid',
    says: 'this cannot be a client: {problem}',
    hint: 'check the redirect addresses and how the client authenticates',
    status: 422,
  },
  proofInvalid: {
    code: 'identity.proof-invalid',
    says: 'the proof of possession is missing, was used before or does not belong to this token and request',
    hint: 'send `Authorization: DPoP` with a fresh proof in `DPoP`, made with the key that the token was bound to',
    status: 401,
  },
  lastAdmin: {
    code: 'identity.last-admin',
    says: 'this person is the last active admin',
    hint: 'give the role admin to another active person first',
    status: 409,
  },
})
