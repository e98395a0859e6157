import { decodeHeaderValue, trimmed } from './header-value.ts'
import { errorCodes } from './json-rpc-error.ts'
import { accepts, isJsonContentType } from './media-types.ts'
import { isObject, type Message } from './message.ts'
import {
  legacyRevisions,
  metaKeys,
  modernRevisions,
  namesModernEra,
  revisionWithoutHeader,
  servedRevisions,
  type Era,
} from './revisions.ts'

/** Header fields by lower-case name, as node:http gives them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Classified {
  readonly era: Era
  /** The revision fixed for this exchange. */
  readonly version: string
}

/** An answer instead of an exchange: HTTP status and JSON-RPC error. */
export interface WireRefusal {
  readonly refuse: number
  readonly code: number
  /** One lower-case line for the caller. */
  readonly message: string
  readonly data?: unknown
  /** Value of the `Allow` header that a 405 carries. */
  readonly allow?: string
}

/** Methods that 2026-07-28 took away. SPEC: on an endpoint of both eras, with a modern envelope, they are unknown. */
const removedMethods = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
])

function wireRefusal(refuse: number, code: number, message: string, data?: unknown): WireRefusal {
  return data === undefined ? { refuse, code, message } : { refuse, code, message, data }
}

function single(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  if (value === undefined) return undefined
  return trimmed(typeof value === 'string' ? value : value.join(', '))
}

function mismatch(says: string): WireRefusal {
  return wireRefusal(400, errorCodes.headerMismatch, says)
}

/** What `Mcp-Name` mirrors; undefined where the header is not asked for. SPEC: 2026-07-28, table of mirrored headers. */
function mirroredName(message: Message): { value: unknown } | undefined {
  switch (message.method) {
    case 'tools/call':
    case 'prompts/get':
      return { value: message.params?.['name'] }
    case 'resources/read':
      return { value: message.params?.['uri'] }
    case 'tasks/get':
    case 'tasks/update':
    case 'tasks/cancel':
      return { value: message.params?.['taskId'] }
    default:
      return undefined
  }
}

function checkMirrors(headers: Headers, message: Message): WireRefusal | undefined {
  const method = single(headers, 'mcp-method')
  if (method === undefined && message.kind === 'request') return mismatch('the `Mcp-Method` header is missing')
  if (method !== undefined && decodeHeaderValue(method) !== message.method) {
    return mismatch('the `Mcp-Method` header differs from the method in the body')
  }
  const mirrored = mirroredName(message)
  const name = single(headers, 'mcp-name')
  if (mirrored === undefined) {
    return name === undefined ? undefined : checkStrayName(message, name)
  }
  if (typeof mirrored.value !== 'string') {
    return wireRefusal(400, errorCodes.invalidParams, 'the params lack the name, uri or task that the method is about')
  }
  if (name === undefined) return mismatch('the `Mcp-Name` header is missing')
  if (decodeHeaderValue(name) !== mirrored.value) return mismatch('the `Mcp-Name` header differs from the body')
  return undefined
}

/** A name on a method without one: an intermediary could route or decide by it, so it must at least be in the body. */
function checkStrayName(message: Message, name: string): WireRefusal | undefined {
  const decoded = decodeHeaderValue(name)
  const params = message.params ?? {}
  if (decoded !== undefined && [params['name'], params['uri'], params['taskId']].includes(decoded)) return undefined
  return mismatch('the `Mcp-Name` header names something that is not in the body')
}

/** SPEC: 2026-07-28: what an envelope can name; the revisions before it are agreed on by `initialize`. */
function unsupported(requested: string): WireRefusal {
  return wireRefusal(400, errorCodes.unsupportedVersion, 'unsupported protocol version', {
    supported: modernRevisions,
    requested,
  })
}

function classifyModern(message: Message, meta: Record<string, unknown>, headers: Headers): Classified | WireRefusal {
  const version = meta[metaKeys.protocolVersion]
  if (typeof version !== 'string') {
    return wireRefusal(400, errorCodes.invalidParams, `\`_meta\` lacks \`${metaKeys.protocolVersion}\``)
  }
  if (message.kind === 'request' && !isObject(meta[metaKeys.clientCapabilities])) {
    return wireRefusal(400, errorCodes.invalidParams, `\`_meta\` lacks \`${metaKeys.clientCapabilities}\``)
  }
  const header = single(headers, 'mcp-protocol-version')
  if (header === undefined) return mismatch('the `MCP-Protocol-Version` header is missing')
  if (header !== version) return mismatch('the `MCP-Protocol-Version` header differs from the body')
  const wrong = checkMirrors(headers, message)
  if (wrong !== undefined) return wrong
  if (!modernRevisions.includes(version)) return unsupported(version)
  if (removedMethods.has(message.method ?? '')) {
    return wireRefusal(404, errorCodes.methodNotFound, 'method not found')
  }
  return { era: 'modern', version }
}

function classifyLegacy(headers: Headers, isInitialize: boolean): Classified | WireRefusal {
  const header = single(headers, 'mcp-protocol-version')
  if (header === undefined) return { era: 'legacy', version: revisionWithoutHeader }
  if (legacyRevisions.includes(header)) return { era: 'legacy', version: header }
  // WHY: the version of a handshake is in its params; older clients send any header along with it.
  if (isInitialize && !namesModernEra(header)) return { era: 'legacy', version: revisionWithoutHeader }
  return wireRefusal(400, errorCodes.invalidRequest, 'unsupported protocol version', {
    supported: servedRevisions,
    requested: header,
  })
}

function classifyPost(headers: Headers, message: Message): Classified | WireRefusal {
  const header = single(headers, 'mcp-protocol-version')
  const isModernHeader = header !== undefined && namesModernEra(header)
  if (message.kind === 'response') {
    if (!isModernHeader) return mirroredOtherwise(headers, message) ?? classifyLegacy(headers, false)
    return wireRefusal(400, errorCodes.invalidRequest, 'responses are not posted in this protocol revision')
  }
  const meta = message.params?.['_meta']
  if (isObject(meta) && Object.hasOwn(meta, metaKeys.protocolVersion)) return classifyModern(message, meta, headers)
  if (!isModernHeader) {
    return mirroredOtherwise(headers, message) ?? classifyLegacy(headers, message.method === 'initialize')
  }
  if (message.method === 'initialize')
    return mismatch('`initialize` was sent with a modern `MCP-Protocol-Version` header')
  if (message.kind === 'notification') {
    const stray = checkMirrors(headers, message)
    if (stray !== undefined) return stray
    return modernRevisions.includes(header) ? { era: 'modern', version: header } : unsupported(header)
  }
  return wireRefusal(400, errorCodes.invalidParams, `\`_meta\` lacks \`${metaKeys.protocolVersion}\``)
}

/** INVARIANT: a header that mirrors the body never says something else than the body, also where none is asked for. */
function mirroredOtherwise(headers: Headers, message: Message | undefined): WireRefusal | undefined {
  const method = single(headers, 'mcp-method')
  if (method !== undefined && (message?.method === undefined || decodeHeaderValue(method) !== message.method)) {
    return mismatch('the `Mcp-Method` header differs from the method in the body')
  }
  const name = single(headers, 'mcp-name')
  if (name !== undefined && (message?.name === undefined || decodeHeaderValue(name) !== message.name)) {
    return mismatch('the `Mcp-Name` header differs from the body')
  }
  return undefined
}

function checkMethod(httpMethod: string, headers: Headers): WireRefusal | undefined {
  if (httpMethod === 'POST') return undefined
  if (httpMethod !== 'GET' && httpMethod !== 'DELETE') {
    const refused = wireRefusal(405, errorCodes.invalidRequest, 'the method is not served here')
    return { ...refused, allow: 'GET, POST, DELETE' }
  }
  const header = single(headers, 'mcp-protocol-version')
  if (header === undefined || !namesModernEra(header)) return undefined
  const refused = wireRefusal(405, errorCodes.invalidRequest, 'this protocol revision is served by POST alone')
  return { ...refused, allow: 'POST' }
}

function checkTypes(httpMethod: string, headers: Headers): WireRefusal | undefined {
  if (httpMethod === 'DELETE') return undefined
  const accept = single(headers, 'accept')
  if (httpMethod === 'GET') {
    if (accepts(accept, 'text/event-stream')) return undefined
    return wireRefusal(406, errorCodes.invalidRequest, 'the `Accept` header must name `text/event-stream`')
  }
  if (!isJsonContentType(single(headers, 'content-type'))) {
    return wireRefusal(415, errorCodes.invalidRequest, 'the content type must be `application/json` in UTF-8')
  }
  if (!/^identity$/i.test(single(headers, 'content-encoding') ?? 'identity')) {
    return wireRefusal(415, errorCodes.invalidRequest, 'the body must not be compressed')
  }
  if (accepts(accept, 'application/json') && accepts(accept, 'text/event-stream')) return undefined
  const says = 'the `Accept` header must name both `application/json` and `text/event-stream`'
  return wireRefusal(406, errorCodes.invalidRequest, says)
}

/**
 * What of a request can be refused before its body is read: the method (405), the types of the body (415) and of the
 * answer (406), in this order. SPEC: MCP 2026-07-28 and 2025-11-25, Streamable HTTP.
 */
export function checkBeforeBody(httpMethod: string, headers: Headers): WireRefusal | undefined {
  return checkMethod(httpMethod, headers) ?? checkTypes(httpMethod, headers)
}

/**
 * Which era and revision a request that passed `checkBeforeBody` speaks, or how to refuse it: the envelope (-32602),
 * mirrored headers against the body (-32020), the revision (-32022). The body decides, the headers must agree.
 * SPEC: MCP 2026-07-28 and 2025-11-25, Streamable HTTP.
 *
 * `Mcp-Param-*` is not judged here: it needs the tool's schema as the caller sees it.
 * @param message undefined on GET and DELETE
 */
export function classifyEra(headers: Headers, message: Message | undefined): Classified | WireRefusal {
  if (message !== undefined) return classifyPost(headers, message)
  return mirroredOtherwise(headers, undefined) ?? classifyLegacy(headers, false)
}

/** Whether a request was refused. */
export function isWireRefusal(result: Classified | WireRefusal): result is WireRefusal {
  return 'refuse' in result
}
