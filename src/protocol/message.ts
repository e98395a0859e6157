import { isUtf8 } from 'node:buffer'
import { spanOf } from './json/edit-text.ts'
import { type JsonValue, readJson } from './json/escaped-keys.ts'
import { errorCodes } from './json-rpc-error.ts'
import { hasLookAlike, hasTwins, knownNames } from './look-alike.ts'
import { metaKeys } from './revisions.ts'
import { countMembers, hasText, maxJsonDepth, scanJson, type Span } from './json/strict-json.ts'

/** One JSON-RPC message of MCP, parsed once. */
export interface Message {
  readonly kind: 'request' | 'notification' | 'response'
  /** Absent on notifications, and on an error response that answers nothing in particular. */
  readonly id?: string | number
  /** Absent on responses. */
  readonly method?: string
  readonly params?: Record<string, unknown>
  /** What the method is about: `params.name` of tools/call and prompts/get, `params.uri` of resources/read, subscribe, unsubscribe. */
  readonly name?: string
  /** The parsed object itself, unknown members included. */
  readonly json: Record<string, unknown>
  /** The message as it was sent; what is forwarded when nothing changes. */
  readonly text: string
  /** Where the value of `id` lies in `text`; undefined without an id, and for a text that was changed. */
  readonly idSpan: Span | undefined
}

/** Why a body is not one MCP message. Answer it with HTTP 400 and this JSON-RPC code. */
export interface MessageProblem {
  /** One lower-case line for the caller. */
  readonly problem: string
  readonly code: number
  /** Of a request that could be read so far that it can be named in the answer. */
  readonly id?: string | number
}

/** Whom a message comes from. What a client sends is decided on, so it is read more strictly. */
type Sender = 'client' | 'upstream'

const envelopeNames = knownNames('jsonrpc', 'id', 'method', 'params', 'result', 'error')
const decidingNames = knownNames(
  'name',
  'uri',
  'arguments',
  '_meta',
  'task',
  'taskId',
  'ref',
  'notifications',
  'requestId',
  'progressToken',
  'inputResponses',
  'requestState',
  'protocolVersion',
  'cursor',
)
const referenceNames = knownNames('type', 'name', 'uri')
const metaNames = knownNames(...Object.values(metaKeys), 'progressToken')

const nameMembers: ReadonlyMap<string, 'name' | 'uri'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['resources/subscribe', 'uri'],
  ['resources/unsubscribe', 'uri'],
])

/** Whether a value is a JSON object: not null, not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @param read what could be read of a message; a request is then answered under its id */
function invalid(problem: string, read: Record<string, unknown> = {}): MessageProblem {
  const id = read['method'] === undefined ? undefined : read['id']
  return { problem, code: errorCodes.invalidRequest, ...(isId(id) ? { id } : {}) }
}

/** Longest id that is read, in UTF-16 units: ids are kept while a request is open. */
export const maxIdLength = 1_024

const badId = invalid(`\`id\` must be an integer or a string of at most ${maxIdLength} characters`)

function isId(value: unknown): value is string | number {
  return typeof value === 'string' ? value.length <= maxIdLength : Number.isSafeInteger(value)
}

/** What no reader of a client's message may have to interpret; undefined when there is nothing of it. */
function oddityOf(json: Record<string, unknown>, text: string): string | undefined {
  // WHY: most messages have no such escapes, and are not looked at any closer.
  const mayHoldHalf = text.includes('\\ud') || text.includes('\\uD')
  if (mayHoldHalf && hasText(json, (each) => !each.isWellFormed())) return 'a text holds half a surrogate pair'
  if (!text.includes('__proto__') && !text.includes('\\u00')) return undefined
  // WHY: an upstream that copies members into an object of its own would change what all its objects inherit.
  return hasText(json, (each, isKey) => isKey && each === '__proto__') ? 'a member is named `__proto__`' : undefined
}

const keyTwice = 'a key appears twice in one object'

interface Parsed {
  readonly json: Record<string, unknown>
  readonly idSpan: Span | undefined
}

function parse(text: string, sender: Sender): Parsed | MessageProblem {
  const scan = scanJson(text, sender === 'client')
  if (scan.isTooDeep) return invalid(`the message nests deeper than ${maxJsonDepth} levels`)
  let read: JsonValue
  try {
    read = readJson(text)
  } catch {
    return { problem: 'the body is not JSON', code: errorCodes.parseError }
  }
  const { value: json } = read
  if (Array.isArray(json)) return invalid('batches are not served: send one message per request')
  if (!isObject(json)) return invalid('the body is not a JSON-RPC message')
  // INVARIANT: the upstream reads the same message that was decided on. Readers differ in which of two values they keep,
  // and of every member that appears twice in the text the parsed object has lost one.
  if (read.hasDuplicateKey || countMembers(json) !== scan.memberCount) return invalid(keyTwice)
  if (hasLookAlike(json, envelopeNames)) return invalid('a member differs from a JSON-RPC member only in spelling')
  const idSpan = scan.idSpan ?? (Object.hasOwn(json, 'id') ? spanOf(text, ['id']) : undefined)
  if (sender === 'upstream') return { json, idSpan }
  const { id } = json
  // WHY: an integer can be written as `1E2`, `100.0` or `-0`, and comes back in the answer as something else.
  if (typeof id === 'number' && idSpan !== undefined && text.slice(...idSpan) !== String(id)) return badId
  if (scan.inexact !== undefined)
    return invalid('a number is not kept exactly by every reader: send it as a text', json)
  const oddity = oddityOf(json, text)
  return oddity === undefined ? { json, idSpan } : invalid(oddity, json)
}

function readResponse({ json, idSpan }: Parsed, text: string): Message | MessageProblem {
  const hasResult = Object.hasOwn(json, 'result')
  const hasError = Object.hasOwn(json, 'error')
  if (hasResult === hasError) return invalid('a message has a `method`, or exactly one of `result` and `error`')
  if (hasError && !isObject(json['error'])) return invalid('`error` must be an object')
  const id = json['id']
  if (isId(id)) return { kind: 'response', id, json, text, idSpan }
  if (hasError && (id === undefined || id === null)) return { kind: 'response', json, text, idSpan }
  return badId
}

/** Whether another reader could find something else in the params than what is decided on. */
function isMisread(params: Record<string, unknown>): boolean {
  const { ref, _meta: meta, arguments: given } = params
  return (
    hasLookAlike(params, decidingNames) ||
    (isObject(ref) && hasLookAlike(ref, referenceNames)) ||
    (isObject(meta) && hasLookAlike(meta, metaNames)) ||
    (isObject(given) && hasTwins(given))
  )
}

function readCall({ json, idSpan }: Parsed, method: string, text: string): Message | MessageProblem {
  if (Object.hasOwn(json, 'result') || Object.hasOwn(json, 'error')) {
    return invalid('a message has a `method`, or exactly one of `result` and `error`')
  }
  const params = json['params']
  if (params !== undefined && !isObject(params)) return invalid('`params` must be an object', json)
  if (params !== undefined && isMisread(params)) {
    return invalid('a member of `params` differs from another only in spelling', json)
  }
  const member = nameMembers.get(method)
  const name = member === undefined ? undefined : params?.[member]
  const message: Message = {
    kind: Object.hasOwn(json, 'id') ? 'request' : 'notification',
    method,
    ...(params === undefined ? undefined : { params }),
    ...(typeof name === 'string' ? { name } : undefined),
    json,
    text,
    idSpan,
  }
  if (message.kind === 'notification') return message
  const { id } = json
  return isId(id) ? { ...message, id } : badId
}

function read(text: string, sender: Sender): Message | MessageProblem {
  const parsed = parse(text, sender)
  if ('problem' in parsed) return parsed
  const { json } = parsed
  const { jsonrpc, method } = json
  if (jsonrpc !== '2.0') return invalid('`jsonrpc` must be "2.0"', json)
  if (method === undefined) return readResponse(parsed, text)
  return typeof method === 'string' ? readCall(parsed, method, text) : invalid('`method` must be a string', json)
}

/**
 * Reads what a client sent as one JSON-RPC message, so strictly that every reader finds the same: valid UTF-8, one
 * object, `jsonrpc` 2.0, an id that is a short string or a plain integer, object params, no key twice, no member that
 * differs from a known one only in spelling, whole characters, exact numbers, at most 64 levels deep.
 * @param body the bytes as received, or a text already decoded
 */
export function readMessage(body: Buffer | string): Message | MessageProblem {
  if (typeof body === 'string') return read(body, 'client')
  if (!isUtf8(body)) return { problem: 'the body is not UTF-8', code: errorCodes.parseError }
  return read(body.toString('utf8'), 'client')
}

/**
 * Reads what an upstream sent. Content that nothing is decided on passes as it was written, so numbers and halves of
 * surrogate pairs are not looked at; everything else is as strict as in `readMessage`.
 */
export function readUpstreamMessage(text: string): Message | MessageProblem {
  return read(text, 'upstream')
}

/** The message with another text: what was known of places in the old one is forgotten. */
export function withText(message: Message, text: string): Message {
  return { ...message, text, idSpan: undefined }
}

/** Whether a message could not be read. */
export function isProblem(read: Message | MessageProblem): read is MessageProblem {
  return 'problem' in read
}
