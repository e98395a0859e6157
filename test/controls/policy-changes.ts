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
  'CHG-6': {
    says: 'no rule is published by which nobody could change the policy again; one that shuts some out has to be accepted',
    sources: ['G3', 'ASVS 8.3.1'],
  },
  'CHG-7': {
    says: 'rules with which the official engine disagreed let nothing pass, on any node and after a start, until others are published',
    sources: ['G3', 'ASVS 16.5.3'],
  },
  'REV-1': {
    says: 'nobody decides about their own access, nor what others were asked, nor once their right is gone; who only reads decides nothing',
    sources: ['G3', 'ASVS 2.3.5', 'NIST AC-2(j)', 'ISO 27001 A.5.18'],
  },
  'REV-2': {
    says: 'a decision counts once, about what was looked at and nothing else, on all nodes; what it takes is gone at once, on record with its evidence',
    sources: ['G3', 'ASVS 8.3.2', 'SOC 2 CC6.3'],
  },
  'CHG-8': {
    says: 'no text that somebody has looked at keeps the next one from being read, and whoever only reads keeps nobody waiting',
    sources: ['G3', 'F23', 'ASVS 15.2.2'],
  },
  'POL-7': {
    says: 'no call makes a node work for its arguments beyond what their size is worth, however many, long or deep they are',
    sources: ['G3', 'F23', 'ASVS 15.2.2'],
  },
} as const satisfies Record<string, Control>
