/**
 * How is `initialize` answered for a server that does not know it?
 *
 * Stops: a session for somebody the server would not answer, capabilities that cannot be had through this face.
 * Trusts: nothing the server says of itself; it is repeated as what it is, its own word.
 * Fails: with the server's own error, or with a Fault when it is no server of 2026-07-28.
 * @see MCP 2025-11-25, lifecycle; 2026-07-28, server/discover
 */
import {
  errorCodes,
  initializeResponse,
  isObject,
  jsonRpcError,
  legacyResponse,
  type Message,
  mirroredHeaders,
  modernRequest,
  readDiscovered,
  readIntroduction,
} from '#protocol'
import { emptyAnswer, jsonAnswer, type UpstreamAnswer, type UpstreamRequest } from '../transports/transport.ts'
import { type Face, misbehaved, onward, responseOf, written } from './face.ts'
import type { FaceSessions } from './sessions.ts'

/** The answer to `initialize`, with a new session when it is agreed. */
export async function shakeHands(
  face: Face,
  sessions: FaceSessions,
  { request, message }: { request: UpstreamRequest; message: Message },
): Promise<UpstreamAnswer> {
  const clientId = message.id ?? ''
  const introduction = readIntroduction(message)
  if (introduction === undefined) {
    return jsonAnswer(200, jsonRpcError(clientId, errorCodes.invalidParams, 'these are no params of `initialize`'))
  }
  const id = face.nextId()
  const { capabilities, clientInfo } = introduction
  const question = written(JSON.stringify({ jsonrpc: '2.0', id, method: 'server/discover' }))
  const envelope = { clientCapabilities: JSON.stringify(capabilities), clientInfo }
  const discover = written(modernRequest(question, envelope, id))
  const headers = mirroredHeaders(discover)
  const answer = await face.exchange(onward(request, { message: discover, headers, signal: request.signal }))
  if (answer.hopProblem !== undefined) return emptyAnswer(answer.status, answer.hopProblem)
  const response = await responseOf(answer, id)
  if (response === undefined) throw misbehaved('the server did not say what it can do')
  if (isObject(response.json['error'])) {
    return jsonAnswer(200, legacyResponse(response, { id: clientId, method: 'initialize' }))
  }
  const discovered = readDiscovered(response, request.upstream.name)
  if (discovered === undefined) throw misbehaved('the server does not speak 2026-07-28')
  const session = sessions.open(request, introduction, discovered.capabilities)
  if (session === undefined) return emptyAnswer(503, 'overloaded')
  return jsonAnswer(200, initializeResponse(clientId, introduction.revision, discovered), session.id)
}
