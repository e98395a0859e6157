import { Fault } from '#kernel'
import { spanOf } from './json/edit-text.ts'
import type { Message } from './message.ts'

/**
 * The message with another id and otherwise every character as it was sent.
 * A message without an id is returned unchanged.
 */
export function withIdText({ id, text, idSpan }: Message, newId: string | number): string {
  if (id === undefined) return text
  const span = idSpan ?? spanOf(text, ['id'])
  // INVARIANT: no message leaves under an id that was meant for the other side.
  if (span === undefined) throw new Fault('protocol.id-lost', 'the id of a message cannot be found in its text')
  return text.slice(0, span[0]) + JSON.stringify(newId) + text.slice(span[1])
}

/**
 * `withIdText` as bytes, ready to send.
 * @param body the bytes that `message` was read from
 */
export function withId(message: Message, body: Buffer, newId: string | number): Buffer {
  const { id, text, idSpan } = message
  if (id === undefined) return body
  // WHY: in pure ASCII a character is a byte, and the text need not be encoded again.
  if (idSpan === undefined || text.length !== body.length) return Buffer.from(withIdText(message, newId))
  const [start, end] = idSpan
  const idText = JSON.stringify(newId)
  const idBytes = Buffer.byteLength(idText)
  const sent = Buffer.allocUnsafe(body.length + idBytes - (end - start))
  body.copy(sent, 0, 0, start)
  sent.write(idText, start)
  body.copy(sent, start + idBytes, end)
  return sent
}

/**
 * The message with other params, re-serialised; every other member is kept.
 * For the few messages whose params name a request or a token of another hop (`notifications/cancelled`, progress).
 */
export function withParams(message: Message, params: Record<string, unknown>): string {
  return JSON.stringify({ ...message.json, params })
}
