/**
 * Is the one message of a JSON answer the response to this request?
 * Stops: the same as `inspect-frames`, for the answers that are no stream, without the price of one.
 * Trusts: nothing the upstream says.
 * Fails: anything but the response, or what the request may be answered with, becomes an error under the client's id.
 */
import { Fault } from '#kernel'
import type { Frame } from '#protocol'
import type { AtOnceOrLater } from './checklist.ts'
import { closingError, inspectFrame, type Inspection, noteBroken } from './inspect-frames.ts'
import { gatewayRefusals } from './refusals.ts'
import type { Verdict } from './safe-result.ts'

function judgeEnd(passed: Frame | undefined, inspection: Inspection, verdict: Verdict): Frame | undefined {
  const isAwaiting = inspection.forwarded.upstreamId !== undefined
  if (!isAwaiting) verdict.outcome ??= 'succeeded'
  if (verdict.outcome !== undefined) return passed
  verdict.outcome = 'failed'
  verdict.detail['fault'] = gatewayRefusals.upstreamMisbehaved.code
  return closingError(inspection, new Fault('upstream.misbehaved', 'the answer ended without a response'))
}

function judgeBroken(thrown: unknown, inspection: Inspection, verdict: Verdict): Frame | undefined {
  noteBroken(verdict, thrown)
  verdict.outcome = 'failed'
  return inspection.forwarded.upstreamId === undefined ? undefined : closingError(inspection, thrown)
}

/**
 * The message that may be sent; undefined when there is none. Lets go of the exchange with the upstream.
 * @param only the answer's one message; undefined for an answer without one
 */
export function inspectWhole(
  only: Frame | undefined,
  inspection: Inspection,
  verdict: Verdict,
): AtOnceOrLater<Frame | undefined> {
  try {
    const passed = only === undefined ? undefined : inspectFrame(only, inspection, verdict)
    if (!(passed instanceof Promise)) return judgeEnd(passed, inspection, verdict)
    return passed.then(
      (later) => judgeEnd(later, inspection, verdict),
      (thrown: unknown) => judgeBroken(thrown, inspection, verdict),
    )
  } catch (thrown) {
    return judgeBroken(thrown, inspection, verdict)
  } finally {
    inspection.forwarded.release(false)
  }
}
