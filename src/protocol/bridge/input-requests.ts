import { applyEdits, memberEdit, spanOf } from '../json/edit-text.ts'
import { isObject, type Message } from '../message.ts'
import { withIdText } from '../with-id.ts'
import { withoutMembers } from './without-members.ts'

/** One thing that a server of 2026-07-28 wants to know before it goes on. */
export interface InputRequest {
  /** The server's own name for it. */
  readonly key: string
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  /** The params as they were written. */
  readonly paramsText: string
}

/** A result that asks instead of answering. */
export interface InputRequired {
  readonly requests: readonly InputRequest[]
  /** `requestState` as JSON text, to be sent back to the letter. */
  readonly stateText: string | undefined
}

const kinds = new Set(['elicitation/create', 'sampling/createMessage', 'roots/list'])

function readRequest(text: string, key: string, request: unknown): InputRequest | undefined {
  if (!isObject(request) || typeof request['method'] !== 'string' || !kinds.has(request['method'])) return undefined
  const { method, params } = request
  if (params !== undefined && !isObject(params)) return undefined
  if (params === undefined && method !== 'roots/list') return undefined
  const span = params === undefined ? undefined : spanOf(text, ['result', 'inputRequests', key, 'params'])
  return { key, method, params: params ?? {}, paramsText: span === undefined ? '{}' : text.slice(...span) }
}

/**
 * Reads a result whose `resultType` is `input_required`. SPEC: MCP 2026-07-28, multi round-trip requests.
 * @returns undefined when it asks for nothing, or for what the revision does not have
 */
export function readInputRequired({ json, text }: Message): InputRequired | undefined {
  const { result } = json
  if (!isObject(result)) return undefined
  const { inputRequests = {}, requestState } = result
  if (!isObject(inputRequests) || (requestState !== undefined && typeof requestState !== 'string')) return undefined
  const requests = Object.entries(inputRequests).map(([key, request]) => readRequest(text, key, request))
  if (requests.length === 0 && requestState === undefined) return undefined
  const state = requestState === undefined ? undefined : spanOf(text, ['result', 'requestState'])
  const read = requests.filter((request) => request !== undefined)
  if (read.length < requests.length) return undefined
  return { requests: read, stateText: state === undefined ? undefined : text.slice(...state) }
}

function has(capabilities: unknown, ...path: readonly string[]): boolean {
  let at = capabilities
  for (const name of path) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
  return isObject(at)
}

/** The capability that a client must have declared to be asked this: its path in `clientCapabilities`. */
export function capabilityFor({ method, params }: InputRequest): readonly string[] {
  if (method === 'roots/list') return ['roots']
  if (method === 'elicitation/create') return ['elicitation', params['mode'] === 'url' ? 'url' : 'form']
  const usesTools = params['tools'] !== undefined || params['toolChoice'] !== undefined
  return usesTools ? ['sampling', 'tools'] : ['sampling']
}

/** Whether a client that declared these capabilities can be asked. */
export function canBeAsked(capabilities: Readonly<Record<string, unknown>>, request: InputRequest): boolean {
  return has(capabilities, ...capabilityFor(request))
}

/** Where a client is asked to open an address; undefined for every other request. */
export function addressOf({ method, params }: InputRequest): string | undefined {
  if (method !== 'elicitation/create' || params['mode'] !== 'url') return undefined
  return typeof params['url'] === 'string' ? params['url'] : ''
}

/** How a legacy client is asked. */
export interface Asking {
  readonly id: string
  readonly revision: string
  /** Names the opening of an address, which 2025-11-25 wants and 2026-07-28 does not have. */
  readonly elicitationId: string
}

/** The request to a legacy client. SPEC: MCP 2025-11-25, elicitation, sampling, roots. */
export function legacyAsk({ method, params, paramsText }: InputRequest, asking: Asking): string {
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(asking.id)},"method":${JSON.stringify(method)},"params":${paramsText}}`
  if (method !== 'elicitation/create') return text
  // SPEC: before 2025-11-25 there are forms only, and no word for them.
  if (asking.revision < '2025-11-25') return withoutMembers(text, ['params'], (name) => name === 'mode')
  if (params['mode'] !== 'url') return text
  const edit = memberEdit(text, ['params'], 'elicitationId', JSON.stringify(asking.elicitationId))
  return edit === undefined ? text : applyEdits(text, [edit])
}

const ofRetry = new Set(['inputResponses', 'requestState'])

/** What goes back to the server, as JSON texts. */
export interface InputAnswers {
  /** `[key, result]`. */
  readonly responses: readonly (readonly [string, string])[]
  readonly stateText: string | undefined
}

/** The same request once more, under another id, with the answers and the server's own state to the letter. */
export function answeredRequest(message: Message, id: string, { responses, stateText }: InputAnswers): string {
  const bare = withoutMembers(withIdText(message, id), ['params'], (name) => ofRetry.has(name))
  const inside = responses.map(([key, result]) => `${JSON.stringify(key)}:${result}`).join(',')
  const members = [
    ...(responses.length === 0 ? [] : [`"inputResponses":{${inside}}`]),
    ...(stateText === undefined ? [] : [`"requestState":${stateText}`]),
  ]
  const [at = 0] = spanOf(bare, ['params']) ?? []
  // WHY: the params of a request of 2026-07-28 are never empty: the envelope is in them.
  return applyEdits(bare, [{ span: [at + 1, at + 1], text: members.map((member) => `${member},`).join('') }])
}
