/**
 * Opens the event stream of a client of 2024-11-05: where to post, then whatever is delivered.
 * Stops: a stream without an intent on record: every guard was asked before.
 * Trusts: those who deliver: only inspected answers to messages that were posted reach the stream.
 * Fails: the stream ends with whatever ends its exchange, and its session with it.
 */
import { emptyAnswer } from '#upstream'
import type { Arrival } from '../arrival.ts'
import type { Ending } from '../ending.ts'
import type { Authenticated } from '../guards/authenticate-caller.ts'
import type { Forwarded } from '../guards/forward.ts'
import type { Inspected } from '../guards/inspect-result.ts'
import type { Aim } from '../guards/resolve-target.ts'
import { asSafe, type Verdict } from '../safe-result.ts'
import type { Channels } from './channels.ts'

type Opening = Arrival & Authenticated & Aim & { readonly cut: Ending }

/** WHY: no server is asked for the stream itself; what it brings was forwarded by other exchanges. */
const nobodyAsked: Forwarded = {
  answer: emptyAnswer(200),
  upstreamId: undefined,
  release: () => undefined,
}

/** @returns what a list of guards would have learned, had a server been asked */
export function openChannel(channels: Channels, known: Opening): Forwarded & Inspected {
  const { principal, serverName, upstream, onHangUp, cut, oldWire } = known
  const { channel, endpoint } = channels.open({ principal, serverName, upstream })
  const end = (): void => channel.end()
  if (oldWire !== undefined) oldWire.finish = () => channel.finish()
  onHangUp(end)
  if (cut.aborted) end()
  cut.addEventListener('abort', end)
  const verdict: Verdict = { outcome: 'succeeded', detail: {} }
  const frames = channel.frames({ type: 'endpoint', body: endpoint })
  return { ...nobodyAsked, safeResult: asSafe({ status: 200, kind: 'stream', sessionId: undefined, verdict, frames }) }
}
