/**
 * What are questions about the past refused with?
 * Stops: an answer that guesses.
 * Trusts: nothing.
 * Fails: nothing here can.
 */
import { defineRefusals } from '#kernel'

export const replayRefusals = defineRefusals({
  replayRunning: {
    code: 'policy.replay-running',
    says: 'another replay is running on this node',
    hint: 'wait until it has ended, or stop it; a replay takes what calls leave it',
    status: 409,
  },
  notValid: {
    code: 'policy.replay-invalid',
    says: 'what is to be replayed does not compile: {problem}',
    hint: '`castellan policy lint <folder>` shows every problem with its file and line',
    status: 422,
  },
  entryUnknown: {
    code: 'policy.entry-unknown',
    says: 'the ledger holds no decision about a call under {entry}',
    hint: 'give the number of an entry or the id of an exchange: `castellan audit list` shows both',
    status: 404,
  },
})
