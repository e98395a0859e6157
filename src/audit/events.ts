/**
 * What the ledger records about itself.
 * Stops: an outage or a restart of the record that leaves no trace in it.
 * Trusts: nothing.
 * Fails: as every append does.
 */
import { defineEvent } from './define-event.ts'

export const ledgerOpened = defineEvent({
  name: 'ledger.opened',
  says: 'A process began to write the ledger; `after` says how the writer before it ended.',
})

export const ledgerRecovered = defineEvent({
  name: 'ledger.recovered',
  says: 'The ledger could not be written for a while and can be again; `refused` counts the entries it turned away.',
})

export const ledgerClosed = defineEvent({
  name: 'ledger.closed',
  says: 'The process that wrote the ledger ended in order.',
})

export const events = [ledgerOpened, ledgerRecovered, ledgerClosed]
