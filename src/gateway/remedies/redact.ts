/**
 * Which values leave an answer before it is passed on? Those of the members that a rule names, at any depth.
 * Stops: what a rule takes out of answers coming out all the same: in structured content, in JSON written as text, in a
 * stream, in an error, in a task or in a question of the server.
 * Trusts: `readUpstreamMessage`: no key twice, no key that readers take for different ones.
 * Fails: closed: what cannot be read member by member is withheld, and an answer of another shape is none.
 */
import { Fault } from '#kernel'
import {
  applyEdits,
  type Edit,
  elementSpans,
  isObject,
  memberEdit,
  type MemberSpan,
  memberSpans,
  type Message,
  readJson,
  spanOf,
  withText,
} from '#protocol'
import type { Inbound } from '../guards/read-message.ts'

type Span = Edit['span']

const answered = new Set(['tools/call', 'resources/read', 'prompts/get'])
const taken = JSON.stringify('[redacted]')
const withheldText = '[withheld: only JSON can be redacted]'
const withheldBlock = JSON.stringify({ type: 'text', text: withheldText })
const withheldError = JSON.stringify('the error of the server is withheld, because it cannot be redacted')
const openBrace = '{'
const openList = '['

/** Whether all that this request is answered with can be redacted: one answer, and no task that outlives it. */
export function canRedact({ message }: Pick<Inbound, 'message'>): boolean {
  return message?.kind === 'request' && answered.has(message.method ?? '') && message.params?.['task'] === undefined
}

/** The edits that take the named members' values out of a value, wherever they are in it. */
function named(text: string, span: Span, fields: ReadonlySet<string>): Edit[] {
  const first = text[span[0]]
  if (first === openList) return elementSpans(text, span).flatMap((each) => named(text, each, fields))
  if (first !== openBrace) return []
  return memberSpans(text, span).flatMap((one) => member(text, one, fields))
}

/** JSON that was written as a text, redacted; undefined when it is no JSON of members or elements. */
function insideText(written: string, fields: ReadonlySet<string>): string | undefined {
  try {
    const { value, hasDuplicateKey } = readJson(written)
    if (typeof value !== 'object' || value === null || hasDuplicateKey) return undefined
    const span = spanOf(written, [])
    return span && applyEdits(written, named(written, span, fields))
  } catch {
    return undefined
  }
}

function stringAt(text: string, span: Span): string | undefined {
  return text[span[0]] === '"' ? (JSON.parse(text.slice(...span)) as string) : undefined
}

function textEdit(text: string, span: Span, fields: ReadonlySet<string>): Edit[] {
  const written = stringAt(text, span)
  const inside = written === undefined ? undefined : insideText(written, fields)
  // INVARIANT: what is no text at all is withheld as well.
  return inside !== undefined && inside === written ? [] : [{ span, text: JSON.stringify(inside ?? withheldText) }]
}

/** One block of content, or one content of a resource. */
function block(text: string, span: Span, fields: ReadonlySet<string>): Edit[] {
  if (text[span[0]] !== openBrace) return [{ span, text: withheldBlock }]
  const members = memberSpans(text, span)
  // WHY: nothing says what a picture or a sound shows.
  if (members.some(({ name }) => name === 'data')) return [{ span, text: withheldBlock }]
  return members.flatMap((one): Edit[] => {
    const { name, value } = one
    if (name === 'text') return textEdit(text, value, fields)
    if (name === 'blob') return [{ span: value, text: '""' }]
    if (name === 'resource') return block(text, value, fields)
    return member(text, one, fields)
  })
}

function blocks(text: string, span: Span, fields: ReadonlySet<string>): Edit[] {
  if (text[span[0]] !== openList) return block(text, span, fields)
  return elementSpans(text, span).flatMap((each) => block(text, each, fields))
}

/** A member of an object, where it is none that a rule names. */
function member(text: string, { name, value }: MemberSpan, fields: ReadonlySet<string>): Edit[] {
  if (!fields.has(name)) return named(text, value, fields)
  // WHY: a text stays a text, for those who check the shape of what they get.
  return [{ span: value, text: text[value[0]] === '"' ? taken : 'null' }]
}

function promptMessages(text: string, span: Span, fields: ReadonlySet<string>): Edit[] {
  if (text[span[0]] !== openList) return [{ span, text: '[]' }]
  return elementSpans(text, span).flatMap((each) => {
    if (text[each[0]] !== openBrace) return [{ span: each, text: 'null' }]
    return memberSpans(text, each).flatMap((one) =>
      one.name === 'content' ? blocks(text, one.value, fields) : member(text, one, fields),
    )
  })
}

/** The text of a response without the values of the named members; the rest as it was, to the last digit. */
export function redactResult(message: Message, result: Record<string, unknown>, names: readonly string[]): string {
  const { resultType = 'complete' } = result
  if (resultType !== 'complete' || isObject(result['task'])) {
    throw new Fault('upstream.misbehaved', 'an answer that has to be redacted is no whole answer')
  }
  const { text } = message
  const fields = new Set(names)
  const span = spanOf(text, ['result'])
  if (span === undefined) throw new Fault('upstream.misbehaved', 'the result cannot be found')
  const edits = memberSpans(text, span).flatMap((one): Edit[] => {
    const { name, value } = one
    if (name === 'content' || name === 'contents') return blocks(text, value, fields)
    if (name === 'messages') return promptMessages(text, value, fields)
    // SPEC: structured content is an object; a text in its place says what it wants.
    if (name === 'structuredContent' && text[value[0]] === '"') return [{ span: value, text: taken }]
    return member(text, one, fields)
  })
  return applyEdits(text, edits)
}

function withheldErrorOf(message: Message): Message {
  const { text } = message
  const data = spanOf(text, ['error', 'data'])
  const edits = [memberEdit(text, ['error'], 'message', withheldError), data && { span: data, text: 'null' }]
  return withText(
    message,
    applyEdits(
      text,
      edits.filter((edit) => edit !== undefined),
    ),
  )
}

/** What else comes with an answer that has to be redacted; undefined for what is withheld. */
export function screenBeside(message: Message): Message | undefined {
  if (message.kind === 'response') return message.json['error'] === undefined ? message : withheldErrorOf(message)
  if (message.method !== 'notifications/progress') return undefined
  // WHY: how far it is says nothing; what is written beside it could be anything.
  return message.params?.['message'] === undefined && message.params?.['_meta'] === undefined ? message : undefined
}
