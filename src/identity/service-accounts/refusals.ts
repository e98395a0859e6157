/**
 * What is refused about service accounts. Stops a refusal that does not say what to do instead.
 * Trusts nothing. Fails at compile time, when a code is used that is not listed here.
 */
import { defineRefusals } from '#kernel'

export const accountRefusals = defineRefusals({
  accountUnknown: {
    code: 'identity.service-account-unknown',
    says: 'there is no such service account',
    hint: '`castellan service-account list` shows them; one that was removed does not come back',
    status: 404,
  },
  accountOwner: {
    code: 'identity.service-account-owner',
    says: 'the owner of a service account is an active person',
    hint: 'name somebody who answers for it; `castellan user list` shows the people',
    status: 422,
  },
  accountLife: {
    code: 'identity.service-account-life',
    says: 'a service account lives for 1 to {days} whole days from this moment',
    hint: 'choose fewer days and renew it in time, or change `identity.serviceAccountDays`',
    status: 422,
  },
  accountPurpose: {
    code: 'identity.service-account-purpose',
    says: 'a service account needs a purpose: one line of 1 to 100 printable characters',
    hint: 'say what would stop if it stopped',
    status: 422,
  },
  accountEnded: {
    code: 'identity.service-account-ended',
    says: 'this service account cannot act: it is {state}',
    hint: 'renew it, resume it, or give it an owner who is active',
    status: 409,
  },
  accountNoPerson: {
    code: 'identity.service-account-no-person',
    says: 'this is a service account, which has no way to sign in',
    hint: 'it acts with access tokens or an OAuth client; see `castellan service-account --help`',
    status: 409,
  },
})
