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
  endpointAdded: defineEvent({
    name: 'upstream.endpoint-added',
    says: 'An upstream got one more address at which it answers.',
  }),
  endpointRemoved: defineEvent({
    name: 'upstream.endpoint-removed',
    says: 'An address was taken from an upstream; the sessions that were open there are over.',
  }),
  endpointUnhealthy: defineEvent({
    name: 'upstream.endpoint-unhealthy',
    says: 'An endpoint did not answer two health checks in a row; others are asked while there are any.',
  }),
  endpointHealthy: defineEvent({
    name: 'upstream.endpoint-healthy',
    says: 'An endpoint that was unhealthy answered a health check.',
  }),
  breakerOpened: defineEvent({
    name: 'upstream.breaker-opened',
    says: 'An endpoint failed so many calls in a row that it is not asked for a while.',
  }),
  breakerClosed: defineEvent({
    name: 'upstream.breaker-closed',
    says: 'An endpoint that was not asked for a while answered the one call that tried it.',
  }),
  bundleAdded: defineEvent({
    name: 'bundle.added',
    says: 'A bundle was added: upstreams that answer together at one address, to those who may use them.',
  }),
  bundleRemoved: defineEvent({
    name: 'bundle.removed',
    says: 'A bundle was removed; its address answers nobody.',
  }),
  questionRefused: defineEvent({
    name: 'upstream.question-refused',
    says: 'An upstream asked a client for something that clients are not asked, or for a visit to an unsafe address; the client was not asked.',
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
    says: 'A person approved the definition of a tool, which the entry holds, in spite of the warnings it names.',
  }),
  classified: defineEvent({
    name: 'tool.classified',
    says: 'An administrator said what a tool, or a server as a whole, does at worst and what its answers hold.',
  }),
  toolRejected: defineEvent({
    name: 'tool.rejected',
    says: 'A person rejected the definition of a tool; an earlier approval of the tool is withdrawn.',
  }),
  toolQuarantined: defineEvent({
    name: 'tool.quarantined',
    says: 'A person withdrew the approval of a tool; whatever its definition is, it is hidden until it is approved by name.',
  }),
} as const
