/**
 * What is being asked, and in which protocol era? Parsed once, classified once, fixed for the exchange.
 * Stops: malformed JSON-RPC, oversized bodies, headers that say something else than the body.
 * Trusts: nothing in the body; the listener's framing.
 * Fails: the protocol's own status and error code for what is wrong.
 * @see MCP 2026-07-28 and 2025-11-25, Streamable HTTP
 */
import { type Refusal, refuse } from '#kernel'
import { classifyEra, type Era, isProblem, isWireRefusal, type Message, readMessage as parse } from '#protocol'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals, onTheWire, type WireAnswer } from '../refusals.ts'

export interface Inbound {
  /** Absent on GET and DELETE. */
  readonly message: Message | undefined
  /** The bytes that `message` was read from. */
  readonly body: Buffer | undefined
  readonly era: Era
  readonly version: string
}

function wrong(problem: string, wire: WireAnswer): Refusal {
  return onTheWire(refuse(gatewayRefusals.messageRefused, { names: { problem }, detail: { problem } }), wire)
}

async function readPost(arrival: Arrival, maxBodyBytes: number): Promise<{ message: Message; body: Buffer } | Refusal> {
  const body = await arrival.readBody(maxBodyBytes)
  if (body === 'too-large') return refuse(gatewayRefusals.bodyTooLarge, { names: { limit: String(maxBodyBytes) } })
  if (body === 'aborted') return refuse(gatewayRefusals.bodyIncomplete)
  const message = parse(body)
  if (isProblem(message)) return wrong(message.problem, { status: 400, code: message.code })
  return { message, body }
}

export function readMessage(settings: { maxBodyBytes: number }): Guard<Arrival, Inbound> {
  return {
    name: 'read-message',
    async check(arrival) {
      const { httpMethod, headers } = arrival
      const posted = httpMethod === 'POST' ? await readPost(arrival, settings.maxBodyBytes) : undefined
      if (posted !== undefined && 'kind' in posted) return posted
      const asked = { httpMethod, headers, ...(posted === undefined ? {} : { message: posted.message }) }
      const classified = classifyEra(asked)
      if (isWireRefusal(classified)) {
        const { refuse: status, code, message, data, allow } = classified
        // WHY: the request's id belongs into the answer, and what this guard would have learned is lost.
        const messageId = posted?.message.id
        return wrong(message, {
          status,
          code,
          ...(data === undefined ? {} : { data }),
          ...(allow === undefined ? {} : { allow }),
          ...(messageId === undefined ? {} : { messageId }),
        })
      }
      return { message: posted?.message, body: posted?.body, ...classified }
    },
  }
}
