/** JSON-RPC and MCP error codes that Castellan itself answers with. SPEC: JSON-RPC 2.0 section 5.1; MCP 2026-07-28, errors. */
export const errorCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  headerMismatch: -32020,
  unsupportedVersion: -32022,
} as const

/**
 * The text of a JSON-RPC error response.
 * @param id the request's id; undefined leaves the member out, as MCP asks when the id is not known
 */
export function jsonRpcError(id: string | number | undefined, code: number, message: string, data?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } })
}
