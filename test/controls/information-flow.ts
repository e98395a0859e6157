import type { Control } from '../controls.ts'

/** Controls of what may flow where, whatever a model was talked into. */
export const informationFlowControls = {
  'FLO-1': {
    says: 'a client that has read private data and met untrusted content gets nothing out, where a rule says so, on any way and node',
    sources: ['G3', 'AISVS 9.2.8', 'AISVS 10.2.1'],
  },
  'FLO-2': {
    says: 'what a client has met stays with it over tokens, restarts and nodes, until somebody else sets it back, on record',
    sources: ['G3', 'F1', 'ASVS 8.3.2'],
  },
  'FLO-3': {
    says: 'what a tool says of itself counts for nothing; unclassified is the worst, and a classification ends with its definition',
    sources: ['G4', 'MCP ToolAnnotations'],
  },
} as const satisfies Record<string, Control>
