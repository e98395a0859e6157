/**
 * What a page is refused with. Stops nothing by itself: each sentence says what to do next.
 * Trusts nothing. Fails at compile time, when a code is used that is not listed here.
 */
import { defineRefusals } from '#kernel'

export const pageRefusals = defineRefusals({
  pageUnknown: {
    code: 'identity.page-unknown',
    says: 'there is no page at this address',
    hint: 'check the address, or start from your account',
    status: 404,
  },
  methodNotAllowed: {
    code: 'identity.method-not-allowed',
    says: 'this page cannot be asked for in this way',
    hint: 'open it in a browser',
    status: 405,
  },
  formTooLarge: {
    code: 'identity.form-too-large',
    says: 'what was sent is larger than any form of this page',
    hint: 'open the page again and fill in its form',
    status: 413,
  },
  formType: {
    code: 'identity.form-type',
    says: 'what was sent is not a form',
    hint: 'open the page again and fill in its form',
    status: 415,
  },
  formUnreadable: {
    code: 'identity.form-unreadable',
    says: 'the form could not be read',
    hint: 'open the page again and fill in its form',
    status: 400,
  },
  formStale: {
    code: 'identity.form-stale',
    says: 'this form is out of date',
    hint: 'nothing was done; open the page again, with cookies allowed, and fill in its form',
    status: 403,
  },
  codeUnknown: {
    code: 'identity.device-code-unknown',
    says: 'no device waits with this code',
    hint: 'compare it with what your device shows; a code that expired or was decided is worth nothing',
    status: 404,
  },
  requestUnknown: {
    code: 'identity.request-unknown',
    says: 'this request for access is over',
    hint: 'it was answered, has expired, or began in another browser; start again in the program that asked',
    status: 404,
  },
})
