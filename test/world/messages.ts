/** JSON-RPC messages as clients of both eras send them. */

/** A call of a tool; `text` is its only argument. */
export function callTool(name: string, text = 'hello', id: string | number = 1): Record<string, unknown> {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { text } } }
}

export const listTools = { jsonrpc: '2.0', id: 'list', method: 'tools/list', params: {} }

export const initialize = {
  jsonrpc: '2.0',
  id: 'init',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}

/** A message in the envelope of 2026-07-28 and the headers that must mirror it. */
export function modern(message: { method: string; params?: Record<string, unknown>; [member: string]: unknown }): {
  message: Record<string, unknown>
  headers: Record<string, string>
} {
  const version = '2026-07-28'
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const name = message.params?.['name'] ?? message.params?.['uri']
  return {
    message: { ...message, params: { ...message.params, _meta } },
    headers: {
      'mcp-protocol-version': version,
      'mcp-method': message.method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
  }
}
