/** JSON-RPC and MCP error codes that Castellan itself answers with. SPEC: JSON-RPC 2.0 section 5.1; MCP 2026-07-28, errors. */
export const errorCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
  /** SPEC: MCP 2025-11-25, URL elicitation required. */
  addressNeeded: -32042,
} as const

/**
 * The text of a JSON-RPC error response.
 * @param id the request's id; undefined leaves the member out, as MCP asks when the id is not known
 */
export function jsonRpcError(id: string | number | undefined, code: number, message: string, data?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } })
}

const statusOfCode: ReadonlyMap<unknown, number> = new Map([
  [errorCodes.methodNotFound, 404],
  [errorCodes.headerMismatch, 400],
  [errorCodes.missingCapability, 400],
  [errorCodes.unsupportedVersion, 400],
])

/**
 * The HTTP status of a response that came without one, from a server that is not reached over HTTP.
 * SPEC: MCP 2026-07-28, Streamable HTTP: these errors have a status of their own; every other response is a 200.
 * @param json the response
 */
export function statusOfResponse(json: Readonly<Record<string, unknown>>): number {
  const { error } = json
  if (typeof error !== 'object' || error === null || !('code' in error)) return 200
  return statusOfCode.get(error.code) ?? 200
}
