/**
 * What a password is refused with when it is chosen. Stops nothing by itself: each sentence says how to do better.
 * Trusts nothing. Fails at compile time, when a code is used that is not listed here.
 */
import { defineRefusals } from '#kernel'

export const passwordRefusals = defineRefusals({
  passwordTooShort: {
    code: 'identity.password-too-short',
    says: 'the password has fewer than {least} characters',
    hint: 'use a sentence or a password manager; every character counts, spaces too',
    status: 422,
  },
  passwordTooLong: {
    code: 'identity.password-too-long',
    says: 'the password has more than 1024 bytes',
    hint: 'use a shorter one; it is never cut',
    status: 422,
  },
  passwordUnreadable: {
    code: 'identity.password-unreadable',
    says: 'the password is not well-formed text',
    hint: 'type it again or use other characters',
    status: 422,
  },
  passwordCommon: {
    code: 'identity.password-common',
    says: 'the password is one of those that are tried first',
    hint: 'choose one that is not a known password, a repetition, a row of keys, your name or the name of this product',
    status: 422,
  },
})
