/**
 * What the upstream room tells the ledger.
 *
 * Stops: a change of what may be reached without a name in the catalogue of events.
 * Trusts: the ledger to sanitise details before they are kept.
 * Fails: nothing here can fail.
 */
import { defineEvent } from '#audit'

export const upstreamEvents = {
  added: defineEvent({
    name: 'upstream.added',
    says: 'An upstream was added; none of its tools can be seen or called until they are approved.',
  }),
  removed: defineEvent({
    name: 'upstream.removed',
    says: 'An upstream was removed together with every approval of its tools.',
  }),
  reviewed: defineEvent({
    name: 'upstream.reviewed',
    says: 'Castellan asked an upstream for all its tools to compare them with what was approved.',
  }),
  childStarted: defineEvent({
    name: 'upstream.child-started',
    says: 'A process of a stdio upstream was started for one owner.',
  }),
  childEnded: defineEvent({
    name: 'upstream.child-ended',
    says: 'A process of a stdio upstream ended, by itself or because Castellan ended it.',
  }),
  toolAppeared: defineEvent({
    name: 'tool.appeared',
    says: 'An upstream offered a tool that nobody has approved; it stays hidden.',
  }),
  toolChanged: defineEvent({
    name: 'tool.changed',
    says: 'An upstream offered an approved tool with another definition; the tool is hidden until it is approved again.',
  }),
  toolRestored: defineEvent({
    name: 'tool.restored',
    says: 'An upstream offered a changed tool with the definition that was approved.',
  }),
  toolApproved: defineEvent({
    name: 'tool.approved',
    says: 'A person approved the definition of a tool.',
  }),
  toolRejected: defineEvent({
    name: 'tool.rejected',
    says: 'A person rejected the definition of a tool; an earlier approval of the tool is withdrawn.',
  }),
} as const
