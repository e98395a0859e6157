import { applyEdits, memberEdit, spanOf } from '../json/edit-text.ts'
import { errorCodes, jsonRpcError } from '../json-rpc-error.ts'
import { isObject, type Message, withText } from '../message.ts'
import { metaKeys, modernRevisions } from '../revisions.ts'
import { withIdText } from '../with-id.ts'
import { canBeAsked, type InputRequest } from './input-requests.ts'
import { withoutMembers } from './without-members.ts'

/** The request of 2026-07-28 that is answered. */
export interface AnsweredRequest {
  readonly id: string | number
  readonly method: string
  /** What the method is about, such as the URI of a resource. */
  readonly name?: string | undefined
}

const resourceNotFound = -32002

/** SPEC: MCP 2026-07-28, caching: what these methods answer says how long it may be kept, and by whom. */
const cacheable = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])

/** The text with a member of the object at `path` set; a text that cannot be edited is left as it is. */
export function withMember(text: string, path: readonly string[], name: string, value: string): string {
  const edit = memberEdit(text, path, name, value)
  return edit === undefined ? text : applyEdits(text, [edit])
}

/** The text with a member of `<holder>._meta` set, whether there is a `_meta` or not. */
export function withMetaMember(text: string, holder: 'params' | 'result', name: string, value: string): string {
  const meta = spanOf(text, [holder, '_meta'])
  if (meta !== undefined && text.charAt(meta[0]) === '{') return withMember(text, [holder, '_meta'], name, value)
  const holding = spanOf(text, [holder]) === undefined ? withMember(text, [], holder, '{}') : text
  return withMember(holding, [holder], '_meta', `{${JSON.stringify(name)}:${value}}`)
}

function modernResult(message: Message, { method }: AnsweredRequest, serverInfo: unknown): string {
  let text = withMember(message.text, ['result'], 'resultType', '"complete"')
  if (cacheable.has(method)) {
    text = withMember(text, ['result'], 'ttlMs', '0')
    text = withMember(text, ['result'], 'cacheScope', '"private"')
  }
  return isObject(serverInfo) ? withMetaMember(text, 'result', metaKeys.serverInfo, JSON.stringify(serverInfo)) : text
}

/** SPEC: MCP 2026-07-28, errors: this range is the protocol's own, and what a legacy server means by it is another thing. */
const isReserved = (code: unknown): boolean => typeof code === 'number' && code <= -32020 && code >= -32099

function modernError(message: Message, error: Record<string, unknown>, asked: AnsweredRequest): string {
  const { code } = error
  if (isReserved(code)) {
    return jsonRpcError(asked.id, errorCodes.internalError, 'the server answered with an error of its own revision')
  }
  const text = withIdText(message, asked.id)
  if (code !== resourceNotFound) return text
  const renamed = withMember(text, ['error'], 'code', String(errorCodes.invalidParams))
  const isTold = Object.hasOwn(error, 'data') || asked.name === undefined
  return isTold ? renamed : withMember(renamed, ['error'], 'data', JSON.stringify({ uri: asked.name }))
}

/**
 * A response of a legacy session as 2026-07-28 has it, under the id of the request that it answers: a result says that it
 * is complete, who gave it, and that nobody else may be served with it; other than that it is as it was written.
 */
export function modernResponse(message: Message, asked: AnsweredRequest, serverInfo: unknown): string {
  const { result, error } = message.json
  if (isObject(error)) return modernError(message, error, asked)
  const renamed = withText(message, withIdText(message, asked.id))
  return isObject(result) ? modernResult(renamed, asked, serverInfo) : renamed.text
}

/** WHY: tasks of the two eras are different designs; and what the envelope says is nothing that a server offers. */
const notOffered = new Set(['tasks'])

/** The answer to `server/discover`, from that to `initialize`. SPEC: MCP 2026-07-28, server/discover. */
export function discoverResponse(id: string | number, opened: Record<string, unknown>): string {
  const { capabilities, serverInfo, instructions } = opened
  const offered = isObject(capabilities) ? Object.entries(capabilities).filter(([name]) => !notOffered.has(name)) : []
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    result: {
      resultType: 'complete',
      supportedVersions: modernRevisions,
      capabilities: Object.fromEntries(offered),
      ...(typeof instructions === 'string' ? { instructions } : {}),
      ttlMs: 0,
      cacheScope: 'private',
      ...(isObject(serverInfo) ? { _meta: { [metaKeys.serverInfo]: serverInfo } } : {}),
    },
  })
}

const notAsked = new Set(['_meta', 'task', 'elicitationId'])

/**
 * A request of a legacy server as 2026-07-28 puts it into a result. SPEC: MCP 2026-07-28, multi round-trip requests.
 * @param key under which it is to be answered
 */
export function questionOf(message: Message, key: string): InputRequest {
  const text = withoutMembers(message.text, ['params'], (name) => notAsked.has(name))
  const span = spanOf(text, ['params'])
  const paramsText = span === undefined ? '{}' : text.slice(...span)
  return { key, method: message.method ?? '', params: message.params ?? {}, paramsText }
}

/** A result that asks for input before the call goes on. */
export function inputRequiredResponse(
  id: string | number,
  questions: readonly InputRequest[],
  more: { readonly requestState?: string; readonly serverInfo?: unknown },
): string {
  const asked = questions.map(({ key, method, paramsText }) => {
    return `${JSON.stringify(key)}:{"method":${JSON.stringify(method)},"params":${paramsText}}`
  })
  const members = [
    '"resultType":"input_required"',
    `"inputRequests":{${asked.join(',')}}`,
    ...(more.requestState === undefined ? [] : [`"requestState":${JSON.stringify(more.requestState)}`]),
    ...(isObject(more.serverInfo) ? [`"_meta":{"${metaKeys.serverInfo}":${JSON.stringify(more.serverInfo)}}`] : []),
  ]
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{${members.join(',')}}}`
}

/**
 * What a legacy error asks the client to open before the request is repeated: none for every other error.
 * SPEC: MCP 2025-11-25, elicitation, URL elicitation required.
 */
export function addressesIn({ json }: Message): readonly InputRequest[] {
  const { error } = json
  if (!isObject(error) || error['code'] !== errorCodes.addressNeeded || !isObject(error['data'])) return []
  const { elicitations } = error['data']
  if (!Array.isArray(elicitations)) return []
  return elicitations.filter(isObject).map(({ message, url }, index) => {
    const params = { mode: 'url', message, url }
    return { key: `input-${index + 1}`, method: 'elicitation/create', params, paramsText: JSON.stringify(params) }
  })
}

/** Whether a client that declared these capabilities can be asked. SPEC: 2025-11-25: an empty `elicitation` means forms. */
export function mayBeAsked(capabilities: Readonly<Record<string, unknown>>, request: InputRequest): boolean {
  const { elicitation } = capabilities
  if (!isObject(elicitation) || Object.keys(elicitation).length > 0) return canBeAsked(capabilities, request)
  return canBeAsked({ ...capabilities, elicitation: { form: {} } }, request)
}
