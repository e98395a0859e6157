/**
 * Whose progress is it, when several clients of one owner share a child and name their requests alike?
 *
 * Stops: one client's progress reaching another, because libraries number their tokens from 0.
 * Trusts: the gateway's request ids, which never repeat.
 * Fails: a message without a token is passed as it is.
 * @see MCP 2026-07-28, progress
 */
import { applyEdits, spanOf } from '#protocol'

function withTokenAt(text: string, path: readonly string[], token: unknown): string {
  const span = spanOf(text, path)
  return span === undefined ? text : applyEdits(text, [{ span, text: JSON.stringify(token) }])
}

/** The request with another progress token; the rest as it was. */
export function requestWithToken(body: Buffer, token: unknown): Buffer {
  return Buffer.from(withTokenAt(body.toString('utf8'), ['params', '_meta', 'progressToken'], token))
}

/** The note of progress with another token; the rest as it was. */
export function progressWithToken(line: string, token: unknown): string {
  return withTokenAt(line, ['params', 'progressToken'], token)
}
