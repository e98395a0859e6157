/** MCP revisions with `initialize` and sessions, oldest first. */
export const legacyRevisions: readonly string[] = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']

/** MCP revisions that are stateless and carry an envelope in `params._meta`. */
export const modernRevisions: readonly string[] = ['2026-07-28']

/** What a legacy request without `MCP-Protocol-Version` speaks. SPEC: Streamable HTTP 2025-06-18, protocol version header. */
export const revisionWithoutHeader = '2025-03-26'

/** Newest revision first: what an unsupported-version error offers. */
export const servedRevisions: readonly string[] = [...modernRevisions, ...legacyRevisions.toReversed()]

/** The two wire formats: `legacy` up to 2025-11-25, `modern` from 2026-07-28 on. */
export type Era = 'legacy' | 'modern'

/** Whether a revision string names the modern era, served here or not yet known. */
export function namesModernEra(revision: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(revision) && revision >= '2026-07-28'
}

/** Keys of `_meta` that only 2026-07-28 has. SPEC: 2026-07-28 basic, `_meta`. */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
  relatedTask: 'io.modelcontextprotocol/related-task',
} as const
