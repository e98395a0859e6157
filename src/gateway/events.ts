/**
 * What does the data plane put on record?
 * Stops: an exchange that leaves no trace.
 * Trusts: the ledger to sanitise details.
 * Fails: see `exchange.ts`.
 */
import { defineEvent } from '#audit'

export const callIntended = defineEvent({
  name: 'call.intended',
  says: 'an exchange passed every guard and is about to reach the upstream',
})

export const callCompleted = defineEvent({
  name: 'call.completed',
  says: 'an exchange that had reached the upstream ended: answered, failed or hung up',
})

export const callRefused = defineEvent({
  name: 'call.refused',
  says: 'an exchange was refused before it reached the upstream',
})

export const callCut = defineEvent({
  name: 'call.cut',
  says: 'an open exchange was ended because what allowed it no longer holds',
})

export const callInterrupted = defineEvent({
  name: 'call.interrupted',
  says: 'nobody knows how a call ended: the process or the ledger broke down between its intent and its end',
})

export const callsReconciled = defineEvent({
  name: 'calls.reconciled',
  says: 'every call intended up to entry `upTo` has its end on record, except those in `open`; a start looks no further back',
})

export const definitionsChecked = defineEvent({
  name: 'definitions.checked',
  says: 'castellan asked an upstream for its tool definitions before a call, to compare them with the approved ones',
})
