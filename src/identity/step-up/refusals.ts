/**
 * What fresh factors for single calls are refused with. Stops nothing by itself: each sentence says what to do next.
 * Trusts nothing. Fails at compile time, when a code is used that is not listed here.
 */
import { defineRefusals } from '#kernel'

export const stepUpRefusals = defineRefusals({
  stepUpUnknown: {
    code: 'identity.step-up-unknown',
    says: 'no call of yours waits for a proof at this address',
    hint: 'it may have been proved, denied or too old: have your client make the call again, and open its new link',
    status: 404,
  },
  stepUpNeedsFactor: {
    code: 'identity.step-up-needs-factor',
    says: 'this needs a code of your authenticator or a passkey',
    hint: 'a recovery code does not count here: it is for the way back in',
    status: 403,
  },
  stepUpDenied: {
    code: 'identity.step-up-denied',
    says: 'you have denied this call',
    hint: 'it can be asked for again in a few minutes',
    status: 403,
  },
  tooManyStepUps: {
    code: 'identity.too-many-step-ups',
    says: 'as many calls wait for your second factor as may wait at a time',
    hint: 'prove or deny those that wait, or let them expire, which takes five minutes',
    status: 429,
  },
})
