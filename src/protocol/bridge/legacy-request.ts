import { applyEdits, memberEdit, spanOf } from '../json/edit-text.ts'
import type { Message } from '../message.ts'
import { withoutMembers, withoutMeta } from './without-members.ts'

const ofTheProtocol = 'io.modelcontextprotocol/'

/** WHY: answers to a server's questions go to the question; of tasks as 2025-11-25 has them, 2026-07-28 knows nothing. */
const notPassed = new Set(['task', 'inputResponses', 'requestState'])

/**
 * A request of 2026-07-28 as a session of a legacy revision takes it: without the envelope in `_meta`; the trace context,
 * arguments and everything else as it was written. SPEC: MCP 2026-07-28, `_meta`.
 * @param progressToken stands for the client's own, if the request has one
 */
export function legacyRequest(message: Message, progressToken: string | number): string {
  const bare = withoutMeta(message.text, 'params', (name) => name.startsWith(ofTheProtocol))
  const text = withoutMembers(bare, ['params'], (name) => notPassed.has(name))
  if (spanOf(text, ['params', '_meta', 'progressToken']) === undefined) return text
  const edit = memberEdit(text, ['params', '_meta'], 'progressToken', JSON.stringify(progressToken))
  return edit === undefined ? text : applyEdits(text, [edit])
}
