import type { Message } from './message.ts'
import { readStrictly, type Span } from './strict-json.ts'

function spanOfId(text: string, id: string | number): Span | undefined {
  const value = JSON.stringify(id)
  for (const start of ['{"jsonrpc":"2.0","id":', '{"id":']) {
    const next = text[start.length + value.length]
    if (text.startsWith(start + value) && (next === ',' || next === '}'))
      return [start.length, start.length + value.length]
  }
  // WHY: an unescaped `,"id":…}` that closes the text can only be the outermost object's last member.
  if (text.endsWith(`,"id":${value}}`)) return [text.length - 1 - value.length, text.length - 1]
  return readStrictly(text).id
}

/**
 * The message with another id and otherwise every character as it was sent.
 * A message without an id is returned unchanged.
 */
export function withIdText(message: Message, newId: string | number): string {
  const { id, text } = message
  if (id === undefined) return text
  const span = spanOfId(text, id)
  if (span === undefined) return JSON.stringify({ ...message.json, id: newId })
  return text.slice(0, span[0]) + JSON.stringify(newId) + text.slice(span[1])
}

/**
 * `withIdText` as bytes, ready to send.
 * @param body the bytes that `message` was read from
 */
export function withId(message: Message, body: Buffer, newId: string | number): Buffer {
  const { id, text } = message
  if (id === undefined) return body
  const span = text.length === body.length ? spanOfId(text, id) : undefined
  // WHY: in pure ASCII a character is a byte, and the text need not be encoded again.
  if (span === undefined) return Buffer.from(withIdText(message, newId))
  return Buffer.concat([body.subarray(0, span[0]), Buffer.from(JSON.stringify(newId)), body.subarray(span[1])])
}

/**
 * The message with other params, re-serialised; every other member is kept.
 * For the few messages whose params name a request or a token of another hop (`notifications/cancelled`, progress).
 */
export function withParams(message: Message, params: Record<string, unknown>): string {
  return JSON.stringify({ ...message.json, params })
}
