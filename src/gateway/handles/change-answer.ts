/**
 * What has to be done to an answer before it leaves?
 * Stops: values that a rule takes out of answers; caches that would show one person's answer to another; states that a client
 * could bring to another call.
 * Trusts: the inspection, which has seen that the answer belongs to its request.
 * Fails: an answer that cannot be changed as it has to be is a fault, and is not sent.
 */
import { asPrivate, type Message, withText } from '#protocol'
import type { Answered } from '../guards/inspect-result.ts'
import type { ChangeResult } from '../inspect-frames.ts'
import { redactResult } from '../remedies/redact.ts'
import type { Seals } from './seals.ts'
import { withSealedState } from './states.ts'

function keptPrivate(message: Message, { target }: Answered, result: Record<string, unknown>): Message {
  const isCached = target.kind !== 'server' && Object.hasOwn(result, 'cacheScope')
  return isCached ? withText(message, asPrivate(message.text)) : message
}

/** The answer without what a rule takes out of it. */
function redacted(message: Message, { decision }: Answered, result: Record<string, unknown>): Message {
  const names = decision?.redact
  return names === undefined ? message : withText(message, redactResult(message, result, names))
}

/**
 * What an answer needs before it leaves: without what has to be redacted; in 2026-07-28, its scope for caches, the state of
 * a call that is not finished and, at an address of several servers, their names.
 */
export function changeFor(known: Answered, seals: Seals): ChangeResult | undefined {
  if (known.era !== 'modern') {
    if (known.decision?.redact === undefined) return undefined
    return (message, result) => redacted(message, known, result).text
  }
  return (message, result) => {
    const kept = keptPrivate(redacted(message, known, result), known, result)
    const told = withSealedState(kept, known, seals)
    return known.joint?.outward(told, result) ?? (told === message ? undefined : told.text)
  }
}
