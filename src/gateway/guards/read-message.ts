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
  type Era,
  isProblem,
  isWireRefusal,
  type Message,
  readMessage as parse,
  type WireRefusal,
} from '#protocol'
import type { Arrival } from '../arrival.ts'
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

async function readPost(arrival: Arrival, maxBodyBytes: number): Promise<{ message: Message; body: Buffer } | Refusal> {
  const body = await arrival.readBody(maxBodyBytes)
  if (body === 'too-large') return refuse(gatewayRefusals.bodyTooLarge, { names: { limit: String(maxBodyBytes) } })
  if (typeof body === 'string') return refuse(gatewayRefusals.bodyIncomplete)
  const message = parse(body)
  if (!isProblem(message)) return { message, body }
  const { problem, code, id: messageId } = message
  return messageRefusal(problem, { status: 400, code, ...(messageId === undefined ? {} : { messageId }) })
}

export function readMessage(settings: {
  readonly current: { readonly limits: { readonly bodyBytes: number } }
}): Guard<Arrival, Inbound> {
  return {
    name: 'read-message',
    async check(arrival) {
      const { httpMethod, headers } = arrival
      const early = checkBeforeBody(httpMethod, headers)
      if (early !== undefined) return notServed(early)
      const posted = httpMethod === 'POST' ? await readPost(arrival, settings.current.limits.bodyBytes) : undefined
      if (posted !== undefined && 'kind' in posted) return posted
      const classified = classifyEra(headers, posted?.message)
      if (isWireRefusal(classified)) return notServed(classified, posted?.message)
      return { message: posted?.message, body: posted?.body, ...classified }
    },
  }
}
