/**
 * Which steps of a change of the policy go to the ledger?
 * Stops: a step that nobody could find afterwards.
 * Trusts: audit to sanitise details and to resolve only when the entry is durable.
 * Fails: without a record the step is rolled back.
 */
import { defineEvent } from '#audit'

export const changeEvents = {
  draftMade: defineEvent({ name: 'policy.drafted', says: 'a change of the policy was drafted' }),
  draftEdited: defineEvent({ name: 'policy.draft-edited', says: 'a draft of the policy was changed' }),
  draftProposed: defineEvent({
    name: 'policy.draft-proposed',
    says: 'a draft of the policy passed lint and tests and waits for a second person',
  }),
  draftAbandoned: defineEvent({
    name: 'policy.draft-abandoned',
    says: 'a draft of the policy was given up or turned down',
  }),
  rolledBackNow: defineEvent({
    name: 'policy.rolled-back-at-once',
    says: 'one person took the policy back to the snapshot before, without lint, tests or a second person',
  }),
  shadowDiffered: defineEvent({
    name: 'policy.shadow-differed',
    says: 'what a rule that is judged aside would have changed in about a minute, with some of the calls',
  }),
  fourEyesSet: defineEvent({
    name: 'policy.four-eyes-set',
    says: 'a node found a configuration by which the policy is changed by two persons, or no longer is',
  }),
} as const
