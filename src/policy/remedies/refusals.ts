/**
 * What are remedies refused with?
 * Stops: a caller who does not know what to do next.
 * Trusts: nothing.
 * Fails: at compile time, when a code is used that is not listed here.
 */
import { defineRefusals } from '#kernel'

export const remedyRefusals = defineRefusals({
  approvalUnknown: {
    code: 'policy.approval-unknown',
    says: 'no call waits for you there',
    hint: 'it may have been answered, used, changed by a new policy or too old, or it is not yours to answer: `castellan approval list` shows those that wait for you',
    status: 404,
  },
  ownCall: {
    code: 'policy.approval-of-own-call',
    says: 'nobody approves a call of their own, of a program they answer for, or that they act in',
    hint: 'ask somebody else who has one of the roles that may approve it',
    status: 403,
  },
  answeredBefore: {
    code: 'policy.approval-given-before',
    says: 'you have approved this call',
    hint: 'each approver counts once; somebody else has to approve it besides',
    status: 409,
  },
  callDenied: {
    code: 'policy.call-denied',
    says: 'this call was denied',
    hint: 'it can be asked for again in a few minutes',
    status: 403,
  },
  callExpired: {
    code: 'policy.call-not-approved-in-time',
    says: 'nobody agreed to this call in time, so it is denied',
    hint: 'it can be asked for again in a few minutes',
    status: 403,
  },
  tooManyAsks: {
    code: 'policy.too-many-calls-wait',
    says: 'as many of your calls wait for somebody as may wait at a time',
    hint: 'wait until some are answered or expire, or deny them yourself',
    status: 429,
  },
  callTooLong: {
    code: 'policy.call-too-long',
    says: 'the call is too long to be shown to whoever has to approve it',
    hint: 'make it shorter: at most 32,768 characters can be approved',
    status: 403,
  },
  saidInvalid: {
    code: 'policy.answer-invalid',
    says: 'what is said about a call is a text of 1 to 2,000 characters',
    hint: 'write in a sentence or two why',
    status: 400,
  },
  consentUnknown: {
    code: 'policy.consent-unknown',
    says: 'there is no such consent of yours',
    hint: 'it may have been taken back, or have ended',
    status: 404,
  },
})
