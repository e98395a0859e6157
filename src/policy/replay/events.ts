/**
 * Which questions about the past go to the ledger?
 * Stops: somebody going through the calls of others unseen.
 * Trusts: audit to sanitise details and to resolve only when the entry is durable.
 * Fails: with the ledger's Fault.
 */
import { defineEvent } from '#audit'

export const callsReplayed = defineEvent({
  name: 'calls.replayed',
  says: 'calls of the past were judged again by a policy that is not in force',
})
