/**
 * What federation refuses with. Stops an answer from telling more than what its reader can act on.
 * Trusts nothing: the reason goes into the ledger. Fails at compile time on a code that is not listed.
 */
import { defineRefusals } from '#kernel'

export const federationRefusals = defineRefusals({
  providerUnknown: {
    code: 'identity.provider-unknown',
    says: 'there is no identity provider of this name',
    hint: 'choose one of those on the sign-in page',
    status: 404,
  },
  providerTaken: {
    code: 'identity.provider-taken',
    says: 'there is an identity provider called {name} already',
    hint: 'choose another name, or remove it first',
    status: 409,
  },
  providerInvalid: {
    code: 'identity.provider-invalid',
    says: 'this cannot be an identity provider: {problem}',
    hint: 'check the issuer, the client and the mapping of groups',
    status: 422,
  },
  providerUnavailable: {
    code: 'identity.provider-unavailable',
    says: 'the identity provider cannot be used at this moment',
    hint: 'try again in a minute; an administrator finds the reason with `castellan provider test`',
    status: 503,
  },
  providerSignInRefused: {
    code: 'identity.provider-sign-in-refused',
    says: 'the answer of the identity provider was not accepted',
    hint: 'start again from the sign-in page; an administrator finds the reason in the ledger',
    status: 403,
  },
  attemptUnknown: {
    code: 'identity.attempt-unknown',
    says: 'this sign-in was not begun in this browser, was used or has expired',
    hint: 'start again from the sign-in page, with cookies allowed',
    status: 403,
  },
  notLinked: {
    code: 'identity.not-linked',
    says: 'nobody here is linked to your account at the identity provider',
    hint: 'ask an administrator to link it to you; a name or an e-mail address in common is not enough',
    status: 403,
  },
  secondFactorMissing: {
    code: 'identity.second-factor-missing',
    says: 'a second factor is needed, and the identity provider did not show one',
    hint: 'sign in there with a second factor, or here with your own; an administrator can invite you to set one up',
    status: 403,
  },
  logoutTokenInvalid: {
    code: 'identity.logout-token-invalid',
    says: 'this is not a logout token for this place and moment',
    hint: 'send a signed token of type `logout+jwt`, made for this client, once and without delay',
    status: 400,
  },
  linkTaken: {
    code: 'identity.link-taken',
    says: 'this account at the identity provider is linked to a person already',
    hint: 'take that link away first',
    status: 409,
  },
})
