/** What the terminals' part refuses, and what it says. Stops refusals made up on the spot. Trusts: nothing. Fails: never. */
import { defineRefusals } from '#kernel'

export const terminalRefusals = defineRefusals({
  factorNeeded: {
    code: 'identity.terminal-factor-needed',
    says: 'a terminal is signed in only from a session that was started with a second factor',
    hint: 'sign out here, sign in with a code or a passkey, and type the code of the terminal again',
    status: 403,
  },
  notConfirmed: {
    code: 'identity.terminal-not-confirmed',
    says: 'a terminal is signed in only by whoever started it',
    hint: 'tick the box if you ran `castellan login` yourself, else deny',
    status: 400,
  },
})
