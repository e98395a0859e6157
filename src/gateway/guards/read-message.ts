/**
 * What is being asked, and in which protocol era? Parsed once, classified once, fixed for the exchange.
 * Stops: malformed JSON-RPC, oversized bodies, headers that say something else than the body.
 * Trusts: nothing in the body; the listener's framing.
 * Fails: the protocol's own status and error code for what is wrong.
 * @see MCP 2026-07-28 and 2025-11-25, Streamable HTTP
 */
import { type Refusal, refuse } from '#kernel'
import {
  checkBeforeBody,
  classifyEra,
  errorCodes,
  type Era,
  isProblem,
  isWireRefusal,
  type Message,
  readMessage as parse,
  splitBatch,
  type WireRefusal,
} from '#protocol'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals, messageRefusal } from '../refusals.ts'

export interface Inbound {
  /** Absent on GET and DELETE. */
  readonly message: Message | undefined
  /** The bytes that `message` was read from. */
  readonly body: Buffer | undefined
  readonly era: Era
  readonly version: string
}

function notServed({ refuse: status, code, message, data, allow }: WireRefusal, read?: Message): Refusal {
  // WHY: what this guard would have learned is lost, and the request's id belongs into the answer. The id of a posted
  // response is the upstream's.
  const messageId = read?.kind === 'request' ? read.id : undefined
  return messageRefusal(message, {
    status,
    code,
    ...(data === undefined ? {} : { data }),
    ...(allow === undefined ? {} : { allow }),
    ...(messageId === undefined ? {} : { messageId }),
  })
}

function readPost(body: Buffer | string, maxBodyBytes: number): { message: Message; body: Buffer } | Refusal {
  if (body === 'too-large') return refuse(gatewayRefusals.bodyTooLarge, { names: { limit: String(maxBodyBytes) } })
  if (typeof body === 'string') return refuse(gatewayRefusals.bodyIncomplete)
  const message = parse(body)
  if (!isProblem(message)) return { message, body }
  const { problem, code, id: messageId } = message
  return messageRefusal(problem, { status: 400, code, ...(messageId === undefined ? {} : { messageId }) })
}

/** A body of several messages: nothing here judges it, each of them is an exchange of its own. */
interface Batch extends Refusal {
  readonly parts: readonly Buffer[]
}

/** The messages of a batch, if that is why an exchange went no further. */
export function partsOf(refusal: Refusal | Batch): readonly Buffer[] | undefined {
  return 'parts' in refusal ? refusal.parts : undefined
}

function readBatch(body: Buffer, headers: Arrival['headers']): Batch | Refusal | undefined {
  const split = splitBatch(body, headerOf(headers, 'mcp-protocol-version')?.trim())
  if (split === undefined) return undefined
  if ('problem' in split) return messageRefusal(split.problem, { status: 400, code: split.code })
  return { ...refuse(gatewayRefusals.messageRefused, { names: { problem: 'a batch' } }), parts: split }
}

function classify(
  headers: Arrival['headers'],
  message: Message | undefined,
  body: Buffer | undefined,
): Inbound | Refusal {
  const classified = classifyEra(headers, message)
  if (isWireRefusal(classified)) return notServed(classified, message)
  return { message, body, era: classified.era, version: classified.version }
}

/** SPEC: 2024-11-05: the event stream is asked for by GET alone, messages are posted and nothing else. */
function wrongMethod(oldWire: Arrival['oldWire'], httpMethod: string): WireRefusal | undefined {
  if (oldWire === undefined || oldWire.method === httpMethod) return undefined
  const refused = { refuse: 405, code: errorCodes.invalidRequest, message: 'the method is not served here' }
  return { ...refused, allow: oldWire.method }
}

export function readMessage(settings: {
  readonly current: { readonly limits: { readonly bodyBytes: number } }
}): Guard<Arrival, Inbound> {
  return {
    name: 'read-message',
    check({ httpMethod, headers, readBody, oldWire, mayBatch }) {
      const early = wrongMethod(oldWire, httpMethod) ?? checkBeforeBody(httpMethod, headers)
      if (early !== undefined) return notServed(early)
      if (httpMethod !== 'POST') return classify(headers, undefined, undefined)
      const { bodyBytes } = settings.current.limits
      return readBody(bodyBytes).then((read) => {
        const batch = mayBatch === true && typeof read !== 'string' ? readBatch(read, headers) : undefined
        if (batch !== undefined) return batch
        const posted = readPost(read, bodyBytes)
        return 'kind' in posted ? posted : classify(headers, posted.message, posted.body)
      })
    },
  }
}
