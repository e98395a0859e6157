/**
 * What does a server's answer look like where several servers answer?
 * Stops: a resource that a client would ask another server for, a question that hides which server asks it.
 * Trusts: nothing in the answer: only known members are rewritten, every other character is kept.
 * Fails: what has another shape than the revision's is left as it is.
 */
import { applyEdits, type Edit, elementSpans, isObject, type Message, spanOf } from '#protocol'
import { shareUri } from './shared-uri.ts'

type Span = Edit['span']

/** Where a member of what lies at `span` is. */
export function spanWithin(text: string, span: Span, path: readonly string[]): Span | undefined {
  const found = spanOf(text.slice(...span), path)
  return found === undefined ? undefined : [found[0] + span[0], found[1] + span[0]]
}

/** The edit that shares the URI at a path within `span`; none when there is no URI. */
export function uriEdits(text: string, span: Span, path: readonly string[], upstream: string): Edit[] {
  const found = spanWithin(text, span, path)
  const uri: unknown = found === undefined ? undefined : JSON.parse(text.slice(...found))
  if (found === undefined || typeof uri !== 'string') return []
  return [{ span: found, text: JSON.stringify(shareUri(upstream, uri)) }]
}

/** SPEC: MCP Apps: where a tool, or its result, names its user interface; the second is how it was written before. */
const interfacePaths = [
  ['_meta', 'ui', 'resourceUri'],
  ['_meta', 'ui/resourceUri'],
] as const

export function interfaceEdits(text: string, span: Span, upstream: string): Edit[] {
  return interfacePaths.flatMap((path) => uriEdits(text, span, path, upstream))
}

function contentEdits(text: string, span: Span, content: unknown, upstream: string): Edit[] {
  if (!isObject(content)) return []
  if (content['type'] === 'resource_link') return uriEdits(text, span, ['uri'], upstream)
  return content['type'] === 'resource' ? uriEdits(text, span, ['resource', 'uri'], upstream) : []
}

/** The edits of each element of a list in the result. */
function eachIn(text: string, result: Record<string, unknown>, member: string, edit: EditItem): Edit[] {
  const items = result[member]
  const list = Array.isArray(items) ? spanOf(text, ['result', member]) : undefined
  if (list === undefined) return []
  return elementSpans(text, list).flatMap((span, index) => edit(span, (items as unknown[])[index]))
}

type EditItem = (span: Span, item: unknown) => Edit[]

function messageEdits(text: string, result: Record<string, unknown>, upstream: string): Edit[] {
  return eachIn(text, result, 'messages', (span, message) => {
    const content = isObject(message) ? message['content'] : undefined
    const inner = content === undefined ? undefined : spanWithin(text, span, ['content'])
    return inner === undefined ? [] : contentEdits(text, inner, content, upstream)
  })
}

/** SPEC: 2026-07-28, elicitation: who asks must be plain; where several servers answer, only we know. */
function questionEdits(text: string, result: Record<string, unknown>, upstream: string): Edit[] {
  const requests = result['inputRequests']
  if (!isObject(requests)) return []
  return Object.entries(requests).flatMap(([key, request]) => {
    const params = isObject(request) && request['method'] === 'elicitation/create' ? request['params'] : undefined
    const message = isObject(params) ? params['message'] : undefined
    const span =
      typeof message === 'string' ? spanOf(text, ['result', 'inputRequests', key, 'params', 'message']) : undefined
    return span === undefined ? [] : [{ span, text: JSON.stringify(`[${upstream}] ${String(message)}`) }]
  })
}

/** The text of a server's response to a call as clients of several servers get it; undefined when nothing differs. */
export function tellOutward({ text }: Message, result: Record<string, unknown>, upstream: string): string | undefined {
  const whole: Span = spanOf(text, ['result']) ?? [0, 0]
  const edits = [
    ...eachIn(text, result, 'content', (span, content) => contentEdits(text, span, content, upstream)),
    ...eachIn(text, result, 'contents', (span) => uriEdits(text, span, ['uri'], upstream)),
    ...messageEdits(text, result, upstream),
    ...(result['_meta'] === undefined ? [] : interfaceEdits(text, whole, upstream)),
    ...questionEdits(text, result, upstream),
  ]
  return edits.length === 0 ? undefined : applyEdits(text, edits)
}
