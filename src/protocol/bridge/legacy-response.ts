import { applyEdits, memberEdit, spanOf } from '../json/edit-text.ts'
import { errorCodes, jsonRpcError } from '../json-rpc-error.ts'
import { isObject, type Message, withText } from '../message.ts'
import { metaKeys } from '../revisions.ts'
import { withIdText } from '../with-id.ts'
import { withoutMembers, withoutMeta } from './without-members.ts'

const modernMembers = new Set(['resultType', 'ttlMs', 'cacheScope'])
const modernMeta = new Set<string>([metaKeys.serverInfo, metaKeys.subscriptionId])

/** Errors that describe what Castellan itself sent, and mean nothing to a client that sent something else. */
const ofOurHop: ReadonlyMap<unknown, string> = new Map([
  [errorCodes.headerMismatch, 'the server and castellan do not agree on how the tool is called; try again'],
  [errorCodes.missingCapability, 'the server needs a capability that this client did not declare'],
  [errorCodes.unsupportedVersion, 'the server does not speak the protocol revision that castellan asked it in'],
])

function legacyError(message: Message, error: Record<string, unknown>, id: string | number): string {
  const says = ofOurHop.get(error['code'])
  if (says !== undefined) return jsonRpcError(id, errorCodes.internalError, says)
  if (message.id !== undefined) return withIdText(message, id)
  // SPEC: JSON-RPC 2.0, section 5: an error that answers nothing that could be read has no id, or null.
  const edit = memberEdit(message.text, [], 'id', JSON.stringify(id))
  return edit === undefined ? message.text : applyEdits(message.text, [edit])
}

/**
 * The result of a tool as revisions up to 2025-11-25 have it: what is structured is an object, and can be read as text.
 * SPEC: MCP 2025-11-25, structured content.
 */
function withObjectContent(text: string, result: Record<string, unknown>): string {
  const { structuredContent, content } = result
  if (!Object.hasOwn(result, 'structuredContent') || isObject(structuredContent)) return text
  const span = spanOf(text, ['result', 'structuredContent'])
  if (span === undefined) return text
  const value = text.slice(...span)
  const edits = [{ span, text: `{"result":${value}}` }]
  const blocks: unknown[] = Array.isArray(content) ? content : []
  if (blocks.some((block) => isObject(block) && block['type'] === 'text')) return applyEdits(text, edits)
  const block = JSON.stringify({ type: 'text', text: value })
  const list = spanOf(text, ['result', 'content'])
  const told = list === undefined ? undefined : text.slice(list[0], list[1] - 1)
  const all = blocks.length === 0 || told === undefined ? `[${block}]` : `${told},${block}]`
  const edit = memberEdit(text, ['result'], 'content', all)
  return applyEdits(text, edit === undefined ? edits : [...edits, edit])
}

/** How a result of 2026-07-28 is to be read: whole, as a question back, or not at all. SPEC: MCP 2026-07-28, results. */
export function kindOfResult(result: Record<string, unknown>): 'complete' | 'input-required' | 'unknown' {
  const kind = result['resultType'] ?? 'complete'
  if (kind === 'complete') return kind
  return kind === 'input_required' ? 'input-required' : 'unknown'
}

/**
 * A response of 2026-07-28 to a request, as legacy revisions have it, under the id of the legacy request: without the
 * members that only 2026-07-28 has, other than that as it was written. An error that describes our own hop is worded anew.
 * @param message a response with an error, or with a result that is complete
 */
export function legacyResponse(message: Message, { id, method }: { id: string | number; method: string }): string {
  const { result, error } = message.json
  if (isObject(error)) return legacyError(message, error, id)
  const bare = withoutMembers(message.text, ['result'], (name) => modernMembers.has(name))
  const text = withoutMeta(bare, 'result', (name) => modernMeta.has(name))
  const told = method === 'tools/call' && isObject(result) ? withObjectContent(text, result) : text
  return withIdText(withText(message, told), id)
}

/** A notification of 2026-07-28 as legacy revisions have it: it names no subscription. */
export function legacyNotification({ text }: Message): string {
  return withoutMeta(text, 'params', (name) => name === metaKeys.subscriptionId)
}
