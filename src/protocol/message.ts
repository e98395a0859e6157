import { isUtf8 } from 'node:buffer'
import { errorCodes } from './json-rpc-error.ts'
import { isDeeperThan, maxJsonDepth, readStrictly } from './strict-json.ts'

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
}

/** Why a body is not one MCP message. Answer it with HTTP 400 and this JSON-RPC code. */
export interface MessageProblem {
  /** One lower-case line for the caller. */
  readonly problem: string
  readonly code: number
}

const envelopeKeys = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
const decidingKeys = new Set(['name', 'uri', 'arguments', '_meta', 'task', 'ref', 'notifications', 'requestId'])
const referenceKeys = new Set(['type', 'name', 'uri'])

const nameMember: Readonly<Record<string, 'name' | 'uri'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'resources/subscribe': 'uri',
  'resources/unsubscribe': 'uri',
}

/** Whether a value is a JSON object: not null, not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(problem: string): MessageProblem {
  return { problem, code: errorCodes.invalidRequest }
}

/** Whether a key is none of `known`, but a parser without regard to case would take it for one. */
export function hasLookAlike(object: Record<string, unknown>, known: ReadonlySet<string>): boolean {
  const strangers = Object.keys(object).filter((key) => !known.has(key))
  if (strangers.length === 0) return false
  const folded = new Set([...known].map((name) => name.toLowerCase()))
  return strangers.some((key) => folded.has(key.normalize('NFKC').toLowerCase()))
}

/** Longest id that is read, in UTF-16 units: ids are kept while a request is open. */
export const maxIdLength = 1_024

const badId = invalid(`\`id\` must be an integer or a string of at most ${maxIdLength} characters`)

function isId(value: unknown): value is string | number {
  return typeof value === 'string' ? value.length <= maxIdLength : Number.isSafeInteger(value)
}

function parse(text: string): { json: Record<string, unknown> } | MessageProblem {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { problem: 'the body is not JSON', code: errorCodes.parseError }
  }
  if (Array.isArray(json)) return invalid('batches are not served: send one message per request')
  if (!isObject(json)) return invalid('the body is not a JSON-RPC message')
  if (isDeeperThan(json, maxJsonDepth)) return invalid(`the message nests deeper than ${maxJsonDepth} levels`)
  // INVARIANT: the upstream reads the same message that was decided on. A text that is its own serialisation has no
  // duplicate key; any other is scanned, because parsers differ in which of two values they keep.
  if (JSON.stringify(json) !== text && readStrictly(text).problem !== undefined) {
    return invalid('a key appears twice in one object')
  }
  if (hasLookAlike(json, envelopeKeys)) return invalid('a member differs from a JSON-RPC member only in case')
  return { json }
}

function readResponse(json: Record<string, unknown>, text: string): Message | MessageProblem {
  const hasResult = Object.hasOwn(json, 'result')
  const hasError = Object.hasOwn(json, 'error')
  if (hasResult === hasError) return invalid('a message has a `method`, or exactly one of `result` and `error`')
  if (hasError && !isObject(json['error'])) return invalid('`error` must be an object')
  const id = json['id']
  if (isId(id)) return { kind: 'response', id, json, text }
  if (hasError && (id === undefined || id === null)) return { kind: 'response', json, text }
  return badId
}

/** Whether another parser could find something else in the params than what is decided on. */
function isMisread(params: Record<string, unknown>): boolean {
  const { ref } = params
  return hasLookAlike(params, decidingKeys) || (isObject(ref) && hasLookAlike(ref, referenceKeys))
}

function readCall(json: Record<string, unknown>, method: string, text: string): Message | MessageProblem {
  if (Object.hasOwn(json, 'result') || Object.hasOwn(json, 'error')) {
    return invalid('a message has a `method`, or exactly one of `result` and `error`')
  }
  const params = json['params']
  if (params !== undefined && !isObject(params)) return invalid('`params` must be an object')
  if (params !== undefined && isMisread(params)) {
    return invalid('a member of `params` differs from a known member only in case')
  }
  const name = nameMember[method] === undefined ? undefined : params?.[nameMember[method]]
  const described = {
    method,
    ...(params === undefined ? {} : { params }),
    ...(typeof name === 'string' ? { name } : {}),
    json,
    text,
  }
  if (!Object.hasOwn(json, 'id')) return { kind: 'notification', ...described }
  const id = json['id']
  if (!isId(id)) return badId
  return { kind: 'request', id, ...described }
}

/**
 * Reads one JSON-RPC message, strictly: valid UTF-8, one object, `jsonrpc` 2.0, an id that is a short string or a safe
 * integer, object params, no key twice, no member that differs from a known one only in case, at most 64 levels deep.
 * @param body the bytes as received, or a text already decoded
 */
export function readMessage(body: Buffer | string): Message | MessageProblem {
  if (typeof body !== 'string' && !isUtf8(body))
    return { problem: 'the body is not UTF-8', code: errorCodes.parseError }
  const text = typeof body === 'string' ? body : body.toString('utf8')
  const parsed = parse(text)
  if ('problem' in parsed) return parsed
  const { json } = parsed
  if (json['jsonrpc'] !== '2.0') return invalid('`jsonrpc` must be "2.0"')
  const method = json['method']
  if (method === undefined) return readResponse(json, text)
  return typeof method === 'string' ? readCall(json, method, text) : invalid('`method` must be a string')
}

/** Whether `readMessage` found a problem. */
export function isProblem(read: Message | MessageProblem): read is MessageProblem {
  return 'problem' in read
}
