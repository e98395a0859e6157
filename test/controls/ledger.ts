import type { Control } from '../controls.ts'

/** What the record of what happened promises. */
export const ledgerControls = {
  'LED-1': { says: 'the intent of a call is durable before its upstream is contacted', sources: ['G1', 'G2'] },
  'LED-2': { says: 'while the ledger cannot write, no call passes', sources: ['F3', 'G5', 'ASVS 16.5.3'] },
  'LED-3': { says: 'every refusal is in the ledger', sources: ['ASVS 16.3.2', 'ASVS 16.3.3'] },
  'LED-4': { says: 'secrets and personal data do not reach the ledger', sources: ['R34', 'ASVS 16.2.5'] },
  'LED-5': {
    says: 'a changed, missing, reordered or truncated entry is found and named, offline',
    sources: ['G12', 'R37', 'ASVS 16.4.2'],
  },
  'LED-6': {
    says: 'after a crash each call without an end on record is closed as interrupted, exactly once, and no other',
    sources: ['G2', 'F1'],
  },
  'LED-7': {
    says: 'a torn end of the ledger is cut and told at the next start; over one that lacks what was told of it does not start',
    sources: ['F1', 'F7', 'G12'],
  },
  'LED-8': {
    says: 'a write or flush that fails loses no entry that was acknowledged, and no call passes until one has succeeded anew',
    sources: ['F5', 'F3', 'G2', 'G5'],
  },
  'LED-9': {
    says: 'a past that was rewritten with the key of the ledger does not fit a checkpoint or a proof that was kept elsewhere',
    sources: ['G12', 'ASVS 16.4.2', 'F7'],
  },
  'LED-10': {
    says: 'a witness cosigns one past of a ledger alone, whatever is asked at once and after a kill, and keeps what the ledger signed besides',
    sources: ['G12', 'F7', 'ASVS 16.4.2'],
  },
} as const satisfies Record<string, Control>
