import type { Control } from '../controls.ts'

/** Controls of how the policy is changed. */
export const policyChangeControls = {
  'CHG-1': {
    says: 'where two persons change the policy, nobody puts in force what they made or changed, by any way around',
    sources: ['G3', 'ASVS 8.3.1', 'ASVS 7.5.3'],
  },
  'CHG-2': {
    says: 'a change of the policy is published by and for people who may make it at that moment, as it was looked at',
    sources: ['G3', 'G9', 'ASVS 8.3.2'],
  },
  'CHG-3': {
    says: 'the policy in force is the old one or the new one on every node, also when a node dies while it changes',
    sources: ['G3', 'F11'],
  },
  'CHG-4': {
    says: 'a rule that is tried out changes no answer, whatever it says',
    sources: ['G3', 'ASVS 16.5.3'],
  },
  'CHG-5': {
    says: 'what a change would do to the calls of the past is seen before it is published, by who may read those calls',
    sources: ['G3', 'G5', 'ASVS 8.3.1'],
  },
} as const satisfies Record<string, Control>
