/**
 * What every subject of the benchmark is asked, and what it has to answer: one tool call of about 1 KB in either era of
 * the protocol, and its fixed answer. Kept in one place so that no subject is asked anything else.
 */

export type Era = 'legacy' | 'modern'

export const toolName = 'echo'
const legacyRevision = '2025-11-25'
const modernRevision = '2026-07-28'
const fillerChars = 800

/** The text that the upstream answers every call with. */
export const answerText = 'answer '.padEnd(fillerChars, 'the same to everybody; ')
const argumentText = 'question '.padEnd(fillerChars, 'the same from everybody; ')

/** All ids have as many digits, so that all messages have as many bytes. */
export const firstId = 100_000_000

const accept = 'application/json, text/event-stream'

/** The header fields of a call, besides those of the connection, the session and the token. */
export function callHeaders(era: Era): Record<string, string> {
  const common = { 'content-type': 'application/json', accept }
  if (era === 'legacy') return { ...common, 'mcp-protocol-version': legacyRevision }
  return { ...common, 'mcp-protocol-version': modernRevision, 'mcp-method': 'tools/call', 'mcp-name': toolName }
}

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': modernRevision,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
}

/** A call as its sender's JSON library writes it, cut where the id stands. */
export function callParts(era: Era): readonly [before: string, after: string] {
  const params = {
    name: toolName,
    arguments: { text: argumentText },
    ...(era === 'modern' ? { _meta: modernMeta } : {}),
  }
  const [before = '', after = ''] = JSON.stringify({
    jsonrpc: '2.0',
    id: firstId,
    method: 'tools/call',
    params,
  }).split(String(firstId))
  return [before, after]
}

export const handshake = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: legacyRevision, capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
}

export const handshakeDone = { jsonrpc: '2.0', method: 'notifications/initialized' }

/** The result of a call. */
const callResult = { content: [{ type: 'text', text: answerText }] }

export const toolList = {
  tools: [
    {
      name: toolName,
      description: 'Answers the same text to every question.',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
  ],
}

export const handshakeResult = {
  protocolVersion: legacyRevision,
  capabilities: { tools: {} },
  serverInfo: { name: 'bench-upstream', version: '1' },
}

/** That the upstream speaks both eras: so that every subject passes each message on as it is. */
export const discovery = {
  resultType: 'complete',
  supportedVersions: [modernRevision],
  capabilities: { tools: {} },
  serverInfo: { name: 'bench-upstream', version: '1' },
}

const resultText = JSON.stringify(callResult)

/** The answer to a call as the upstream writes it. @param id as JSON */
export function answerTo(id: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${resultText}}`
}

/** Whether this is the answer to the call with this id. */
export function isAnswerTo(id: number, status: number, body: string): boolean {
  if (status !== 200) return false
  // WHY: whoever passes an answer on as it is spares the load generator reading it.
  if (body === answerTo(String(id))) return true
  try {
    const answer = JSON.parse(body) as { id?: unknown; result?: { content?: { text?: unknown }[] } }
    return answer.id === id && answer.result?.content?.[0]?.text === answerText
  } catch {
    return false
  }
}
