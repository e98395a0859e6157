import type { Control } from '../controls.ts'

/** What may be used up, by whom. */
export const budgetControls = {
  'LIM-4': {
    says: 'what a budget has is spent once, on all nodes and ways together, and what is refused spends nothing',
    sources: ['G17', 'R21', 'ASVS 15.2.2'],
  },
} as const satisfies Record<string, Control>
