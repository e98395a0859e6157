import { applyEdits, memberEdit, spanOf } from '../json/edit-text.ts'
import { isObject, type Message } from '../message.ts'
import { metaKeys } from '../revisions.ts'
import { withIdText } from '../with-id.ts'
import { withoutMembers } from './without-members.ts'

/** The revision that a translated request speaks. */
export const modernRevision = '2026-07-28'

/** What each request of 2026-07-28 says of its client, as JSON texts. */
export interface Envelope {
  readonly clientCapabilities: string
  readonly clientInfo?: string | undefined
  /** The least level of the log messages that the client wants; none are sent without it. */
  readonly logLevel?: string | undefined
}

/** WHY: what the envelope says, the client does not say beside it; the rest belongs to tasks, which are another design. */
const notPassed = new Set<string>([...Object.values(metaKeys), 'io.modelcontextprotocol/related-task'])

/** WHY: of tasks as 2025-11-25 has them a server of 2026-07-28 knows nothing; answers to it are asked for, not volunteered. */
const notOfTheRequest = new Set(['task', 'inputResponses', 'requestState'])

function envelopeMembers({ clientCapabilities, clientInfo, logLevel }: Envelope): string {
  return [
    `${JSON.stringify(metaKeys.protocolVersion)}:${JSON.stringify(modernRevision)}`,
    `${JSON.stringify(metaKeys.clientCapabilities)}:${clientCapabilities}`,
    ...(clientInfo === undefined ? [] : [`${JSON.stringify(metaKeys.clientInfo)}:${clientInfo}`]),
    ...(logLevel === undefined ? [] : [`${JSON.stringify(metaKeys.logLevel)}:${JSON.stringify(logLevel)}`]),
  ].join(',')
}

function withEnvelope(text: string, message: Message, members: string): string {
  const inserted = (path: readonly string[], name: string, value: string): string => {
    const edit = memberEdit(text, path, name, value)
    return edit === undefined ? text : applyEdits(text, [edit])
  }
  if (message.params === undefined) return inserted([], 'params', `{"_meta":{${members}}}`)
  const meta = message.params['_meta']
  if (!isObject(meta)) return inserted(['params'], '_meta', `{${members}}`)
  const kept = withoutMembers(text, ['params', '_meta'], (name) => notPassed.has(name))
  const [at = 0] = spanOf(kept, ['params', '_meta']) ?? []
  const isAlone = Object.keys(meta).every((name) => notPassed.has(name))
  return applyEdits(kept, [{ span: [at + 1, at + 1], text: isAlone ? members : `${members},` }])
}

/**
 * A legacy request as 2026-07-28 has it: under another id, with the envelope in `_meta`; progress token, trace context,
 * arguments and everything else as it was written.
 * @param message a request whose `params`, if any, are an object
 */
export function modernRequest(message: Message, envelope: Envelope, id: string): string {
  const text = withoutMembers(withIdText(message, id), ['params'], (name) => notOfTheRequest.has(name))
  return withEnvelope(text, message, envelopeMembers(envelope))
}
