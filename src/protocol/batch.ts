import { isUtf8 } from 'node:buffer'
import { elementSpans } from './json/edit-text.ts'
import { readJson } from './json/escaped-keys.ts'
import { errorCodes } from './json-rpc-error.ts'
import { isObject, type MessageProblem } from './message.ts'
import { revisionWithoutHeader } from './revisions.ts'
import { maxJsonDepth, scanJson, skipSpace } from './json/strict-json.ts'

/** Most messages that one batch may have. */
export const maxBatchMessages = 100

function invalid(problem: string): MessageProblem {
  return { problem, code: errorCodes.invalidRequest }
}

const openList = 0x5b
const spaces: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d])

function isList(body: Buffer): boolean {
  let at = 0
  while (spaces.has(body[at])) at += 1
  return body[at] === openList
}

/**
 * The messages of a batch, each as the bytes that it was sent as and not judged by itself; undefined for a body that is
 * no list. SPEC: MCP 2025-03-26, the one revision with batches; `initialize` MUST NOT be part of one.
 * @param version what the header says of the revision
 */
export function splitBatch(body: Buffer, version: string | undefined): readonly Buffer[] | MessageProblem | undefined {
  if ((version ?? revisionWithoutHeader) !== revisionWithoutHeader || !isList(body) || !isUtf8(body)) return undefined
  const text = body.toString('utf8')
  if (scanJson(text, true).isTooDeep) return invalid(`the message nests deeper than ${maxJsonDepth} levels`)
  let messages: unknown
  try {
    messages = readJson(text).value
  } catch {
    return { problem: 'the body is not JSON', code: errorCodes.parseError }
  }
  if (!Array.isArray(messages) || messages.length === 0) return invalid('a batch has at least one message')
  if (messages.length > maxBatchMessages) return invalid(`a batch has at most ${maxBatchMessages} messages`)
  if (messages.some((message) => isObject(message) && message['method'] === 'initialize')) {
    return invalid('`initialize` is not part of a batch')
  }
  return elementSpans(text, [skipSpace(text, 0), text.length]).map((span) => Buffer.from(text.slice(...span)))
}
